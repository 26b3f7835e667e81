import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { getMetadataStorage } from 'class-validator';
import { Config, readConfig } from './config.js';

const TEXT = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
/** What the file says once every `#` before a variable is removed. */
const values = parseEnv(TEXT.replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
const defaults = new Config();

test('.env.example names the variables of the configuration, all of them and no others', () => {
  const variables = getMetadataStorage()
    .getTargetValidationMetadatas(Config, '', false, false)
    .map(({ propertyName }) => propertyName);
  expect(Object.keys(values).sort()).toEqual([...new Set(variables)].sort());
});

test('.env.example shows the defaults, and valid examples of what has none', () => {
  expect(readConfig(values)).toMatchObject({ ...defaults });
});

test('.env.example sets nothing until a line is uncommented', () => {
  expect(parseEnv(TEXT)).toEqual({});
});
