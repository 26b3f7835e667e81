import { All, Controller, Get, Module, Post, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { AdminOnly, KeyAccess, Public, SignedIn } from './access.decorators.js';
import { CATALOGUE_SOURCES, CatalogueError, EndpointCatalogue } from './endpoint-catalogue.js';

async function catalogueOf(...controllers: Type[]): Promise<EndpointCatalogue> {
  @Module({
    imports: [DiscoveryModule],
    controllers,
    providers: [EndpointCatalogue, { provide: CATALOGUE_SOURCES, useValue: [] }],
  })
  class Application {}
  const testing = await Test.createTestingModule({ imports: [Application] }).compile();
  return testing.get(EndpointCatalogue);
}

@Controller('v1/applications')
class Declared {
  @Get()
  @KeyAccess('List the Applications', { session: 'any' })
  list(): void {}

  @Get(':applicationId/things/:thingId')
  @KeyAccess('Get a thing', { session: 'admin' })
  get(): void {}

  @Post()
  @AdminOnly('Create an Application')
  create(): void {}
}

describe('the catalogue at boot', () => {
  test('derives method, path and scope from the routes', async () => {
    const { own } = await catalogueOf(Declared);
    expect(own.map(({ method, path, scope, grantable }) => [method, path, scope, grantable])).toEqual([
      ['GET', '/v1/applications', 'account', true],
      ['GET', '/v1/applications/{applicationId}/things/{thingId}', 'application', true],
      ['POST', '/v1/applications', 'account', false],
    ]);
  });

  test('refuses a route without a declaration', async () => {
    @Controller('v1/open')
    class Undeclared {
      @Get()
      read(): void {}
    }
    await expect(catalogueOf(Declared, Undeclared)).rejects.toThrow(/Undeclared\.read: declares no access/);
  });

  test('refuses an inherited route without a declaration', async () => {
    class Parent {
      @Get('inherited')
      inherited(): void {}
    }
    @Controller('v1/child')
    class Child extends Parent {}
    await expect(catalogueOf(Child)).rejects.toThrow(/Child\.inherited: declares no access/);
  });

  test('refuses an override without a declaration, even if its parent has one', async () => {
    class Parent {
      @Get()
      @Public('Read')
      read(): void {}
    }
    @Controller('v1/child')
    class Child extends Parent {
      @Get()
      override read(): void {}
    }
    await expect(catalogueOf(Child)).rejects.toThrow(/Child\.read: declares no access/);
  });

  test('refuses two declarations on one method', () => {
    expect(() => {
      @Controller('v1/two')
      class Two {
        @Get()
        @Public('Read')
        @SignedIn('Read')
        read(): void {}
      }
      return Two;
    }).toThrow(/Two\.read declares its access twice/);
  });

  test('refuses @All', async () => {
    @Controller('v1/all')
    class Everything {
      @All()
      @Public('Anything')
      any(): void {}
    }
    await expect(catalogueOf(Everything)).rejects.toThrow(/Everything\.any: @All/);
  });

  test('refuses the same endpoint twice, even with other parameter names', async () => {
    @Controller('v1')
    class Again {
      @Get('applications/:id/things/:other')
      @Public('Get a thing')
      again(): void {}
    }
    await expect(catalogueOf(Declared, Again)).rejects.toThrow(/Again\.again: .* exists already, as Declared\.get/);
  });

  test('refuses several paths on one method, and wildcards', async () => {
    @Controller('v1/odd')
    class Odd {
      @Get(['one', 'two'])
      @Public('Two paths')
      several(): void {}

      @Get('*rest')
      @Public('Everything below')
      below(): void {}
    }
    await expect(catalogueOf(Odd)).rejects.toThrow(/Odd\.several[\s\S]*Odd\.below/);
  });

  test('lists every fault at once', async () => {
    @Controller('v1/bad')
    class Bad {
      @Get('one')
      one(): void {}

      @Get('two')
      two(): void {}
    }
    await expect(catalogueOf(Bad)).rejects.toThrow(CatalogueError);
    await expect(catalogueOf(Bad)).rejects.toThrow(/Bad\.one[\s\S]*Bad\.two/);
  });

  test('throws for an unknown handler', async () => {
    const catalogue = await catalogueOf(Declared);
    expect(() => catalogue.endpointOf(Declared, () => undefined)).toThrow(/not in the catalogue/);
  });
});
