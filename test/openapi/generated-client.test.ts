import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import ts from 'typescript';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';

const PROGRAM = fileURLToPath(new URL('generated-client/program.ts', import.meta.url));
const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const PATH = '/v1/applications/{applicationId}/campaigns';

const PRELUDE = `
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';
export const client = createClient<paths>();
export const path = { applicationId: 1, campaignId: 2 };
export type Schemas = components['schemas'];
`;

/** Compiles files like a strict project, writes the JavaScript, and returns the errors of each file. */
function compile(...files: string[]): Record<string, string[]> {
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
  });
  const faults: Record<string, string[]> = {};
  for (const { file, messageText } of [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics]) {
    (faults[basename(file?.fileName ?? '', '.ts')] ??= []).push(ts.flattenDiagnosticMessageText(messageText, '\n'));
  }
  return faults;
}

/** Tests the promises of the document with a client that is generated from nothing else. */
describe('a client generated from /openapi.json', () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let folder: string;

  beforeAll(async () => {
    database = await createDatabase();
    server = await startServer({ DATABASE_URL: database.url });
    folder = mkdtempSync(join(tmpdir(), 'latchkey-client-'));
    symlinkSync(NODE_MODULES, join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenAPI3;
    const blob = ts.factory.createTypeReferenceNode('Blob');
    const types = await openapiTS(document, {
      // The documentation of the package recommends this for files in forms.
      transform: (schema) => ('format' in schema && schema.format === 'binary' ? blob : undefined),
    });
    writeFileSync(join(folder, 'schema.ts'), astToString(types));
    copyFileSync(PROGRAM, join(folder, 'program.ts'));
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('compiles, and creates and uses a key', async () => {
    expect(compile(join(folder, 'program.ts'))).toEqual({});
    const parameters = [join(folder, 'program.js'), server.url, ADMIN_EMAIL, ADMIN_PASSWORD];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, parameters);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      shop: expect.any(Number),
      campaign: ['Summer sale', 'running', null],
      choices: [{ service: 'management', method: 'POST', path: `${PATH}/{campaignId}/import_coupons` }],
      key: ['valid', '2099-12-31T23:59:59.999Z', false, [JSON.parse(stdout).shop]],
      imported: 2,
      coupons: [
        ['SUMMER-1', true],
        ['SUMMER-2', true],
      ],
      updatedCoupon: [5, null, { channel: 'newsletter' }],
      generated: [3, 204],
      deletions: [204, 204],
      left: 2,
      updatedCampaign: ['Autumn sale', 'disabled', [], 0],
      campaignDeleted: [204, '404 campaign-not-found'],
      userDeleted: 204,
      file: ['value', 'SUMMER-1'],
      refusals: {
        elsewhere: '403 application-not-allowed',
        notGranted: '403 endpoint-not-allowed',
        deleted: '401 unknown',
        protectedUser: '403 user-protected',
        malformed: '400 import-invalid',
      },
      lines: [2],
      renamed: ['Ada Lovelace', 0],
      states: ['active', 'deactivated', 'active', 'deactivated', 'active', '404 user-not-found'],
      keysAffected: ['0'],
      trail: [[expect.stringMatching(/^DELETE \/v1\/users\/\d+$/), false]],
      signedOut: 204,
    });
    expect(stdout + server.output()).not.toMatch(/lk[ms]_[0-9A-Za-z]{20}/);
  }, 120_000);

  test('does not compile if it is used wrongly', () => {
    const wrong: Record<string, string> = {
      'a path that is not there': `client.GET('/v1/nothing');`,
      'a method that the path does not have': `client.PATCH('/v1/applications', { body: {} });`,
      'a parameter of the path left out': `client.GET('${PATH}', { params: { path: {} } });`,
      'an id that is text': `client.GET('${PATH}', { params: { path: { applicationId: '1' } } });`,
      'an unknown query parameter': `client.GET('${PATH}', { params: { path, query: { colour: 'red' } } });`,
      'a filter beyond its values': `client.GET('${PATH}', { params: { path, query: { campaignState: 'finished' } } });`,
      'a body without what is required': `client.POST('/v1/applications', { body: { name: 'A', currency: 'EUR' } });`,
      'a field of another type': `client.POST('/v1/sessions', { body: { email: 1, password: 'x' } });`,
      'an unknown field': `export const me: Schemas['Credentials'] = { email: 'a', password: 'x', remember: true };`,
      'a state beyond its values': `export const update: Schemas['UserUpdate'] = { state: 'invited' };`,
      'a form without its file': `client.POST('${PATH}/{campaignId}/import_coupons', { params: { path }, body: {} });`,
      'the value of a key that is read': `export const key = (view: Schemas['ApiKeyView']) => view.key;`,
      'the hash of a password': `export const hash = (view: Schemas['UserView']) => view.passwordHash;`,
      'null taken for text': `export const end = (view: Schemas['CampaignView']): string => view.endTime;`,
      'a list that may be missing': `export const first = (view: Schemas['Problem']) => view.errors[0];`,
    };
    const programs = { right: `client.GET('${PATH}', { params: { path } });`, ...wrong };
    const files = Object.entries(programs).map(([name, text]) => {
      const file = join(folder, `${name}.ts`);
      writeFileSync(file, `${PRELUDE}${text}\n`);
      return file;
    });
    expect(Object.keys(compile(...files)).sort()).toEqual(Object.keys(wrong).sort());
  }, 120_000);
});
