// Gives tests Node's own module loader. So each worker loads the built product and its packages once, and they run
// outside jest's VM, as in production. `built-transform.mjs` is the other half.
import { createRequire } from 'node:module';
import { TestEnvironment } from 'jest-environment-node';

const require = createRequire(import.meta.url);

export default class BuiltEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    this.global.__loadBuilt = (path) => require(path);
    // Both sides must share these: the metadata of decorators, and the classes that `instanceof` compares.
    Object.assign(this.global, { Reflect, Date, Error });
  }
}
