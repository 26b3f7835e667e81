import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager } from 'typeorm';
import { endpointName, MANAGEMENT } from '../access/access.js';
import type { Caller } from '../access/caller.js';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { ChangedGrants } from '../api-keys/grants/changed-grants.js';
import { Transactions } from '../authority/transactions.js';
import type { Write } from '../authority/write.js';
import { Clock } from '../config/clock.js';
import { forUpdate } from '../database/transactions/locking.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import { toRfc3339 } from '../database/times.js';
import { InputPipe } from '../input/input.pipe.js';
import { validationFailed } from '../problems/validation-failed.js';
import { readSort } from '../input/sorting.js';
import { refuseUnstorable } from '../input/storable.js';
import { Problem } from '../problems/problem.js';
import { Confirmation } from './confirmation.js';
import { DEFAULT_APPLICATION_PARAMETER } from './documents/application-parameter.js';
import type { DocumentReading } from './documents/openapi-body.js';
import type { ServiceDescription, ServiceOperation } from './documents/openapi-document.js';
import { OpenApiReader } from './documents/openapi-reader.js';
import {
  changedView,
  compareEndpoints,
  type EndpointDifference,
  endpointView,
  skippedView,
} from './service-difference.js';
import { CatalogueRevision, Service, ServiceEndpoint } from './service.entity.js';
import {
  type AffectedKeys,
  ServiceFields,
  type ServiceDifference,
  type ServicePage,
  type ServicesQuery,
  type ServiceSummary,
  type ServiceView,
} from './services.dto.js';
import { takenOver } from './taken-over.js';
import { deleteEndpoints, insertEndpoints, readEndpoints, type StoredEndpoint } from './stored-endpoints.js';

const SERVICE_NAME = /^[a-z][a-z0-9-]{1,40}$/;
const SORT_COLUMNS = { service: 'service', name: 'name', created: 'created', modified: 'modified' } as const;
/** The maximum number of endpoints of each kind that one entry of the audit log names. */
const NAMED_IN_CHANGES = 100;

/** A service and its endpoints after the registration. */
interface Registration extends Required<Omit<ServiceFields, 'confirmChanges'>> {
  service: string;
  operations: ServiceOperation[];
  skipped: ServiceDescription['skipped'];
  /** The digest of the changes that the admin confirms. */
  confirmChanges: string | undefined;
}

/** Registers other services, so that keys can be granted their endpoints. */
@Injectable()
export class ServicesService {
  private readonly input = new InputPipe();

  constructor(
    @InjectRepository(Service) private readonly services: ReadRepository<Service>,
    @InjectRepository(ServiceEndpoint) private readonly endpoints: ReadRepository<ServiceEndpoint>,
    private readonly reader: OpenApiReader,
    private readonly apiKeys: ApiKeysService,
    private readonly changedGrants: ChangedGrants,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * Registers a service, or replaces its document. Throws `validation-failed`, `openapi-invalid`, `service-conflict`,
   * `changes-not-confirmed`.
   */
  async put(
    caller: Caller,
    service: string,
    body: Uint8Array,
    { dryRun }: { dryRun: boolean },
  ): Promise<{ created: boolean; difference: ServiceDifference }> {
    refuseUnusableName(service);
    const described = await this.readRegistration(service, body);
    return this.transactions.write(caller, async (write) => {
      const { tx } = write;
      const { revision } = await lockCatalogue(tx);
      const before = await tx.findOneBy(Service, { service });
      const stored = before ? await storedIn(tx, before) : [];
      const difference = compareEndpoints(stored, described.operations, {
        before: before?.applicationParameter ?? '',
        after: described.applicationParameter,
      });
      const affected = await this.holding(tx, before, outdatedBy(difference));
      const confirmation = await this.confirmationOf(write, before, described, difference);
      const registration = { ...described, skipped: [...described.skipped, ...confirmation.operationsKept] };
      const isSettled = isSame(before, registration, difference) && !confirmation.isGiven;
      if (!dryRun && !isSettled) {
        confirmation.refuseTooMany();
        await this.store(write, before, registration, difference);
        await this.changedGrants.confirm(tx, write.turn, confirmation.grantsConfirmed);
        await tx.update(CatalogueRevision, { id: 1 }, { revision: revision + 1 });
        write.record({
          entity: `PUT /v1/services/${service}`,
          ...(before && { old: { ...describe(before), endpointCount: stored.length } }),
          new: {
            ...describe(registration),
            endpointCount: registration.operations.length,
            ...summaryOf(difference),
            ...confirmation.summary(),
            keysAffected: affected.totalResultSize,
          },
          hiddenFromKeys: true,
        });
      }
      return {
        created: before === null && !dryRun,
        difference: {
          service,
          dryRun,
          endpointCount: registration.operations.length,
          added: difference.added.map(endpointView),
          removed: difference.removed.map(endpointView),
          changed: difference.changed.map(changedView),
          skipped: registration.skipped.map(skippedView),
          affectedKeys: affected,
          changedGrants: confirmation.view(),
        },
      };
    });
  }

  /**
   * Removes a service from the catalogue, which denies its endpoints at once. Returns how many keys hold one of them.
   */
  async delete(caller: Caller, service: string): Promise<number> {
    return this.transactions.write(caller, async (write) => {
      const { tx } = write;
      const { revision } = await lockCatalogue(tx);
      const before = orNotFound(await tx.findOneBy(Service, { service }), service);
      const stored = await storedIn(tx, before);
      const affected = await this.apiKeys.holding(tx, before, stored);
      await tx.delete(Service, { id: before.id });
      await tx.update(CatalogueRevision, { id: 1 }, { revision: revision + 1 });
      write.record({
        entity: `DELETE /v1/services/${service}`,
        old: { ...describe(before), endpointCount: stored.length, keysAffected: affected.totalResultSize },
        hiddenFromKeys: true,
      });
      return affected.totalResultSize;
    });
  }

  /** Returns a service with its endpoints. Throws `service-not-found`. */
  async get(service: string): Promise<ServiceView> {
    const row = orNotFound(await this.services.findOneBy({ service }), service);
    const endpoints = await readEndpoints(this.endpoints.createQueryBuilder('endpoint'), row.id);
    return {
      ...summary(row, endpoints.length),
      endpoints: endpoints.map(endpointView),
      skipped: row.skipped.map(skippedView),
    };
  }

  /** Returns one page of the registered services. */
  async list({ sort, pageSize, skip }: ServicesQuery): Promise<ServicePage> {
    const { column, direction } = readSort(sort, SORT_COLUMNS);
    const [rows, totalResultSize] = await this.services.findAndCount({
      order: { [column]: direction, id: direction },
      skip,
      take: pageSize,
    });
    const counts = await this.countEndpoints(rows);
    return { totalResultSize, data: rows.map((row) => summary(row, counts.get(row.id) ?? 0)) };
  }

  private async readRegistration(service: string, body: Uint8Array): Promise<Registration> {
    const read = await this.reader.read(body);
    if (read.kind === 'json-malformed') {
      throw new Problem('json-malformed', read.detail);
    }
    refuseUnstorable(read.fields);
    const fields = (await this.input.transform(read.fields, {
      type: 'body',
      metatype: ServiceFields,
    })) as ServiceFields;
    const { operations, skipped } = usable(read.document);
    return {
      service,
      name: fields.name,
      description: fields.description ?? '',
      applicationParameter: fields.applicationParameter ?? DEFAULT_APPLICATION_PARAMETER,
      operations,
      skipped,
      confirmChanges: fields.confirmChanges,
    };
  }

  /**
   * Finds the keys that hold these endpoints. Keys of an earlier service with the same name hold no endpoint of a new
   * one.
   */
  private async holding(
    tx: EntityManager,
    before: Service | null,
    endpoints: readonly StoredEndpoint[],
  ): Promise<AffectedKeys> {
    return before ? this.apiKeys.holding(tx, before, endpoints) : { totalResultSize: 0, data: [] };
  }

  /** Finds what the new endpoints change for keys. */
  private async confirmationOf(
    { tx, turn }: Write,
    before: Service | null,
    after: Registration,
    { removed }: EndpointDifference,
  ): Promise<Confirmation> {
    if (!before) {
      return new Confirmation([], [], after.confirmChanges);
    }
    const grants = await this.changedGrants.find(tx, before, after.applicationParameter);
    const present = new Set(grants.length === 0 ? [] : after.operations.map(endpointName));
    const held = await this.changedGrants.pathsHeld(tx, before);
    return new Confirmation(
      grants.filter((grant) => present.has(endpointName(grant))),
      await takenOver({ skipped: before.skipped, removed }, after, held, turn),
      after.confirmChanges,
    );
  }

  private async store(
    { tx, turn }: Write,
    before: Service | null,
    { service, name, description, applicationParameter, skipped }: Registration,
    difference: EndpointDifference,
  ): Promise<void> {
    const now = this.clock.now();
    const row = { modified: now, name, description, applicationParameter, skipped };
    let serviceId = before?.id;
    if (serviceId === undefined) {
      const { identifiers } = await tx.insert(Service, { service, created: now, ...row });
      serviceId = identifiers[0]!.id as number;
    } else {
      await tx.update(Service, { id: serviceId }, row);
    }
    // Deletes first: an endpoint may be replaced by one that differs only in the names of its parameters.
    await deleteEndpoints(tx, turn, outdatedBy(difference));
    await insertEndpoints(tx, turn, serviceId, [
      ...difference.added,
      ...difference.changed.map((change) => change.after),
    ]);
  }

  private async countEndpoints(rows: readonly Service[]): Promise<Map<number, number>> {
    if (rows.length === 0) {
      return new Map();
    }
    const counts = await this.endpoints
      .createQueryBuilder('endpoint')
      .select('endpoint.serviceId', 'serviceId')
      .addSelect('COUNT(*)', 'amount')
      .where('endpoint.serviceId IN (:...ids)', { ids: rows.map((row) => row.id) })
      .groupBy('endpoint.serviceId')
      .getRawMany<{ serviceId: number; amount: number | string }>();
    return new Map(counts.map(({ serviceId, amount }) => [serviceId, Number(amount)]));
  }
}

/**
 * Locks the catalogue, so that changes of services run one after another and each sees the result of the previous one.
 */
async function lockCatalogue(tx: EntityManager): Promise<CatalogueRevision> {
  return tx.findOneOrFail(CatalogueRevision, { where: { id: 1 }, ...forUpdate(tx) });
}

function storedIn(tx: EntityManager, service: Service): Promise<StoredEndpoint[]> {
  return readEndpoints(tx.createQueryBuilder(ServiceEndpoint, 'endpoint'), service.id);
}

function refuseUnusableName(service: string): void {
  const parameter = 'service';
  if (!SERVICE_NAME.test(service)) {
    const detail = 'must be 2 to 41 lower-case letters, digits and hyphens, and begin with a letter';
    throw validationFailed([{ parameter, detail }]);
  }
  if (service === MANAGEMENT) {
    throw validationFailed([{ parameter, detail: `"${MANAGEMENT}" is Latchkey itself` }]);
  }
}

function usable(document: DocumentReading): ServiceDescription {
  switch (document.kind) {
    case 'absent':
      throw validationFailed([
        { pointer: '/openapi', detail: 'openapi must be an OpenAPI document, as an object or as a text' },
      ]);
    case 'fault': {
      const fault = { pointer: `/openapi${document.pointer}`, detail: document.detail };
      throw new Problem('openapi-invalid', `${fault.pointer} ${fault.detail}.`, { errors: [fault] });
    }
    case 'described': {
      const { description } = document;
      const [first] = description.conflicts;
      if (first) {
        const errors = description.conflicts.map(({ pointer, detail }) => ({ pointer: `/openapi${pointer}`, detail }));
        throw new Problem('service-conflict', `${first.detail}.`, { errors });
      }
      return description;
    }
    default:
      return document satisfies never;
  }
}

/** Returns the stored endpoints that the document no longer has, or has in another form. */
function outdatedBy({ removed, changed }: EndpointDifference): StoredEndpoint[] {
  return [...removed, ...changed.map((change) => change.before)];
}

function isSame(before: Service | null, after: Registration, difference: EndpointDifference): boolean {
  const { added, removed, changed } = difference;
  return (
    before !== null &&
    added.length + removed.length + changed.length === 0 &&
    JSON.stringify([describe(before), before.skipped]) === JSON.stringify([describe(after), after.skipped])
  );
}

function describe(service: Pick<Service, 'service' | 'name' | 'description' | 'applicationParameter'>): {
  service: string;
  name: string;
  description: string;
  applicationParameter: string;
} {
  const { name, description, applicationParameter } = service;
  return { service: service.service, name, description, applicationParameter };
}

function summaryOf({ added, removed, changed }: EndpointDifference): Record<string, unknown> {
  const some = (endpoints: readonly { method: string; path: string }[]): { count: number; first: string[] } => ({
    count: endpoints.length,
    first: endpoints.slice(0, NAMED_IN_CHANGES).map(({ method, path }) => `${method} ${path}`),
  });
  return { added: some(added), removed: some(removed), changed: some(changed.map((change) => change.after)) };
}

function summary(row: Service, endpointCount: number): ServiceSummary {
  return {
    ...describe(row),
    created: toRfc3339(row.created),
    modified: toRfc3339(row.modified),
    endpointCount,
    skippedCount: row.skipped.length,
  };
}

function orNotFound(row: Service | null, service: string): Service {
  if (!row) {
    throw new Problem('service-not-found', `There is no service "${service.slice(0, 50)}".`);
  }
  return row;
}
