/**
 * The interface of a store for rate-limiter-flexible. The package exports this class neither in its index nor in its
 * types.
 */
declare module 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js' {
  import { type IRateLimiterOptions, RateLimiterAbstract, type RateLimiterRes } from 'rate-limiter-flexible';

  export default abstract class RateLimiterStore<Stored, Options> extends RateLimiterAbstract {
    constructor(options: IRateLimiterOptions);

    /** Adds points to a counter, or restarts an expired one. Resolves with the new value. */
    protected abstract _upsert(
      counter: string,
      points: number,
      durationMs: number,
      forceExpire: boolean,
      options: Options,
    ): Promise<Stored>;

    /** Returns the value of a counter, unless it has expired. */
    protected abstract _get(counter: string, options: Options): Promise<Stored | null>;

    /** Deletes a counter. Resolves with whether it existed. */
    protected abstract _delete(counter: string, options: Options): Promise<boolean>;

    /** Converts a stored value to the result for the caller. */
    protected abstract _getRateLimiterRes(counter: string, changedPoints: number, stored: Stored): RateLimiterRes;
  }
}
