/** What a store for rate-limiter-flexible has to bring; the package keeps this class out of its index and its types. */
declare module 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js' {
  import { type IRateLimiterOptions, RateLimiterAbstract, type RateLimiterRes } from 'rate-limiter-flexible';

  export default abstract class RateLimiterStore<Stored, Options> extends RateLimiterAbstract {
    constructor(options: IRateLimiterOptions);

    /** Adds points to a counter, which begins anew if it has expired; resolves with what it holds then. */
    protected abstract _upsert(
      counter: string,
      points: number,
      durationMs: number,
      forceExpire: boolean,
      options: Options,
    ): Promise<Stored>;

    /** What a counter holds, unless it has expired. */
    protected abstract _get(counter: string, options: Options): Promise<Stored | null>;

    /** Removes a counter; resolves with whether there was one. */
    protected abstract _delete(counter: string, options: Options): Promise<boolean>;

    /** What the limiter tells its caller about what was stored. */
    protected abstract _getRateLimiterRes(counter: string, changedPoints: number, stored: Stored): RateLimiterRes;
  }
}
