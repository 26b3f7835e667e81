// Replaces a module of src/, or a package that the product needs, by the module that Node has loaded: dist/ for src/.
// Such a module cannot be mocked as a whole and must not await at its top level. It keeps its state between the test
// files of a worker.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const OWN = /^(.*)\/src\/(.*)\.ts$/;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const ESM_SYNTAX = /^\s*(?:import|export)\b/m;

/** Returns the file that replaces a module. */
function targetOf(path) {
  const own = OWN.exec(path);
  return own ? `${own[1]}/dist/${own[2]}.js` : path;
}

function bridge(source, path, { supportsStaticESM }) {
  const target = targetOf(path);
  const load = `globalThis.__loadBuilt(${JSON.stringify(target)})`;
  if (target === path && !path.endsWith('.mjs') && !(supportsStaticESM && ESM_SYNTAX.test(source))) {
    return { code: `module.exports = ${load};` };
  }
  const namespace = require(target);
  const names = Object.keys(namespace).filter((name) => name !== 'default' && name !== 'module.exports');
  const lines = [`const built = ${load};`];
  for (const name of names.filter((name) => IDENTIFIER.test(name))) {
    lines.push(`export const ${name} = built.${name};`);
  }
  if ('default' in namespace) {
    lines.push('export default built.default;');
  }
  return { code: lines.join('\n') };
}

export default {
  canInstrument: false,
  getCacheKey: (source, path, { supportsStaticESM }) => {
    const target = targetOf(path);
    const built = target === path ? source : readFileSync(target);
    return createHash('sha256').update(`${target}\0${supportsStaticESM}\0`).update(built).digest('hex').slice(0, 32);
  },
  process: bridge,
  processAsync: async (...parameters) => bridge(...parameters),
};
