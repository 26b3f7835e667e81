import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Body, Controller, Module, Param, Post } from '@nestjs/common';
import { ApiParam, ApiProperty } from '@nestjs/swagger';
import { IsNumber } from 'class-validator';
import { KeyAccess } from '../../src/access/access.decorators.js';
import { EndpointCatalogue } from '../../src/access/endpoint-catalogue.js';
import { Decimal } from '../../src/input/fields/decimal.js';
import { IdPipe } from '../../src/input/id.pipe.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { Tagged } from '../../src/openapi/tag.decorator.js';
import { Problems } from '../../src/problems/problems.decorator.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

// Types are explicit, because the product runs outside jest's VM and knows another `Number`.
class NewReading {
  @ApiProperty({ type: 'number', description: 'How warm it is, in degrees.', example: 21.5 })
  @Decimal()
  @IsNumber()
  degrees: number;

  @ApiProperty({ type: 'number', description: 'How many sensors agree.', example: 3 })
  @IsNumber()
  sensorCount: number;
}

@Tagged({
  name: 'Readings',
  description: 'What thermometers say.',
  // Between Users and Applications.
  place: 25,
  ids: { thermoId: 'thermometer' },
  examples: { 'validation-failed': { detail: '/degrees: degrees must be above -273.15' } },
})
@Controller('v1/applications/:applicationId/thermometers/:thermoId')
class ReadingsController {
  private readonly outcomes;

  constructor(metrics: Metrics) {
    this.outcomes = metrics.counters('latchkey_readings_total', 'Readings, by outcome.').of({});
  }

  @Post('readings')
  @KeyAccess('Add a reading', { session: 'any' })
  @ApiParam({ name: 'thermoId', type: 'number' })
  @Problems('not-found')
  addReading(@Param('thermoId', IdPipe) thermometer: number, @Body() reading: NewReading) {
    this.outcomes.add('stored');
    return { thermometer, ...reading };
  }
}

@Controller('v1/untagged')
class UntaggedController {
  @Post()
  @KeyAccess('Do something', { session: 'any' })
  doSomething() {
    return {};
  }
}

@Module({ controllers: [ReadingsController, UntaggedController] })
class ReadingsModule {}

interface Operation {
  tags: string[];
  parameters: { name: string; description: string }[];
  responses: Record<string, { content: Record<string, { examples: Record<string, unknown> }> }>;
}

interface Document {
  tags: { name: string; description: string }[];
  paths: Record<string, { post: Operation }>;
  components: {
    schemas: Record<string, { properties: Record<string, unknown> }>;
    examples: Record<string, { value: { detail: string } }>;
  };
}

const PATH = '/v1/applications/{applicationId}/thermometers/{thermoId}/readings';

/** This file declares the whole feature: no list in the infrastructure names it. */
describe('a feature that a module adds', () => {
  let latchkey: Latchkey;
  let document: Document;

  beforeAll(async () => {
    latchkey = await startLatchkey({}, { modules: [ReadingsModule] });
    document = (await latchkey.anonymous.get<Document>('/openapi.json')).body;
  });

  afterAll(() => latchkey?.close());

  test('has its tag in the document, with its description, in the declared order', () => {
    const names = document.tags.map(({ name }) => name);
    expect(names.slice(names.indexOf('Users'), names.indexOf('Applications') + 1)).toEqual([
      'Users',
      'Readings',
      'Applications',
    ]);
    expect(document.tags.find(({ name }) => name === 'Readings')?.description).toBe('What thermometers say.');
    const paths = Object.keys(document.paths);
    expect(paths.indexOf(PATH)).toBeGreaterThan(paths.indexOf('/v1/users/{userId}'));
    expect(paths.indexOf(PATH)).toBeLessThan(paths.indexOf('/v1/applications'));
  });

  test('needs only one decorator: without a tag it gets one from its name, at the end', () => {
    expect(document.paths['/v1/untagged']!.post.tags).toEqual(['Untagged']);
    expect(Object.keys(document.paths).at(-1)).toBe('/v1/untagged');
    const { own } = latchkey.get(EndpointCatalogue);
    expect(own.find(({ path }) => path === '/v1/untagged')?.tag).toBe('Untagged');
  });

  test('documents which of its fields may have decimals', () => {
    expect(document.components.schemas.NewReading!.properties).toMatchObject({
      degrees: { type: 'number', example: 21.5 },
      sensorCount: { type: 'integer', example: 3 },
    });
    expect(JSON.stringify(document)).not.toMatch(/"x-(?:decimal|no-database)/);
  });

  test('documents its ids and shows examples of its problems', () => {
    const { parameters } = document.paths[PATH]!.post;
    expect(parameters.find(({ name }) => name === 'thermoId')?.description).toBe('Id of the thermometer.');
    expect(document.components.examples['validation-failed']!.value.detail).toContain('-273.15');
  });

  test('exposes its metric', async () => {
    const answer = await latchkey.admin.post('/v1/applications/1/thermometers/7/readings', {
      degrees: 21.5,
      sensorCount: 3,
    });
    expect(answer).toMatchObject({ status: 201, body: { thermometer: 7, degrees: 21.5 } });
    const metrics = (await latchkey.anonymous.get<string>('/metrics')).body;
    expect(metrics).toContain('# HELP latchkey_readings_total Readings, by outcome.');
    expect(metrics).toContain('latchkey_readings_total{outcome="stored"} 1');
  });
});
