import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { getMetadataStorage } from 'class-validator';
import { Config, readConfig } from './config.js';

const TEXT = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
/** The values of the file without the `#` before each variable. */
const values = parseEnv(TEXT.replaceAll(/^# (?=[A-Z_]+=)/gm, ''));
const defaults = new Config();

test('.env.example lists exactly the variables of the configuration', () => {
  const variables = getMetadataStorage()
    .getTargetValidationMetadatas(Config, '', false, false)
    .map(({ propertyName }) => propertyName);
  expect(Object.keys(values).sort()).toEqual([...new Set(variables)].sort());
});

test('.env.example shows each default, and valid examples of variables without a default', () => {
  expect(readConfig(values)).toMatchObject({ ...defaults });
});

test('.env.example sets nothing until a line is uncommented', () => {
  expect(parseEnv(TEXT)).toEqual({});
});
