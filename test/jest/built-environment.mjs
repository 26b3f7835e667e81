// Gives tests Node's own loader, so that the built product and its packages are loaded once per worker and run as they do
// in production, outside jest's VM. `built-transform.mjs` is the other half.
import { createRequire } from 'node:module';
import { TestEnvironment } from 'jest-environment-node';

const require = createRequire(import.meta.url);

export default class BuiltEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    this.global.__loadBuilt = (path) => require(path);
    // One realm for what crosses the border: the metadata of decorators, and what `instanceof` is asked about.
    Object.assign(this.global, { Reflect, Date, Error });
  }
}
