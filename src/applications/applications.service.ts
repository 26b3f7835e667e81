import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In } from 'typeorm';
import type { Caller } from '../access/caller.js';
import { lockNothing, Transactions } from '../authority/transactions.js';
import { differs } from '../audit/differs.js';
import { Clock } from '../config/clock.js';
import { ForeignKeyViolation, UniqueViolation } from '../database/driver-errors.js';
import { fold } from '../database/fold.js';
import { forUpdate, forShare } from '../database/transactions/locking.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import { Problem } from '../problems/problem.js';
import { readSort } from '../input/sorting.js';
import { APPLICATION_KEYS, type ApplicationKeys } from './application-keys.js';
import { applicationView } from './application-view.js';
import { Application } from './application.entity.js';
import type {
  ApplicationPage,
  ApplicationQuery,
  ApplicationUpdate,
  ApplicationView,
  NewApplication,
} from './applications.dto.js';

const COLUMNS = { id: 'id', name: 'nameKey', created: 'created', modified: 'modified' } as const;

/** Creates, changes and deletes Applications. */
@Injectable()
export class ApplicationsService {
  constructor(
    @InjectRepository(Application) private readonly applications: ReadRepository<Application>,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    @Inject(APPLICATION_KEYS) private readonly keys: ApplicationKeys,
  ) {}

  /** Returns an Application by its id. Throws `application-not-found`. */
  async get(id: number): Promise<Application> {
    return orNotFound(await this.applications.findOneBy({ id }), id);
  }

  /** Returns those of the ids that are Applications, read in a transaction. */
  async existing(tx: EntityManager, ids: readonly number[]): Promise<Set<number>> {
    const where = { id: In([...ids]) };
    const rows = await tx.find(Application, { select: { id: true }, where, order: { id: 'ASC' }, ...forShare(tx) });
    return new Set(rows.map((row) => row.id));
  }

  /** Returns an Application as the API shows it. Throws `application-not-found`. */
  async show(id: number): Promise<ApplicationView> {
    return applicationView(await this.get(id));
  }

  /** Returns one page of Applications. */
  async list({ sort, pageSize, skip }: ApplicationQuery): Promise<ApplicationPage> {
    const { column, direction } = readSort(sort, COLUMNS);
    const [rows, totalResultSize] = await this.applications.findAndCount({
      order: { [column]: direction, id: direction },
      skip,
      take: pageSize,
    });
    return { totalResultSize, data: rows.map(applicationView) };
  }

  /** Creates an Application. Throws `application-name-taken`. */
  async create(caller: Caller, request: NewApplication): Promise<ApplicationView> {
    const now = this.clock.now();
    const row = {
      created: now,
      modified: now,
      name: request.name,
      nameKey: fold(request.name),
      description: request.description ?? '',
      timezone: request.timezone,
      currency: request.currency,
      attributes: request.attributes ?? {},
    };
    return this.keepingNamesUnique(request.name, () =>
      this.transactions.changeAuthority(caller, async (write) => {
        const { identifiers } = await write.tx.insert(Application, { ...row });
        const view = applicationView({ ...row, id: identifiers[0]!.id as number });
        write.record({ entity: 'POST /v1/applications', applicationId: view.id, new: { ...view } });
        return view;
      }),
    );
  }

  /** Changes the fields that the request names. Throws `application-not-found`, `application-name-taken`. */
  async update(caller: Caller, id: number, request: ApplicationUpdate): Promise<ApplicationView> {
    const { name, description, timezone, currency, attributes } = request;
    const given = {
      ...(name !== undefined && { name, nameKey: fold(name) }),
      ...(description !== undefined && { description }),
      ...(timezone !== undefined && { timezone }),
      ...(currency !== undefined && { currency }),
      ...(attributes !== undefined && { attributes }),
    };
    return this.keepingNamesUnique(name, () =>
      this.transactions.changeAuthority(caller, async (write) => {
        const before = await locked(write.tx, id);
        if (!differs(before, given)) {
          return applicationView(before);
        }
        const changed = { ...given, modified: this.clock.now() };
        await write.tx.update(Application, { id }, changed);
        const view = applicationView({ ...before, ...changed });
        write.record({
          entity: `PUT /v1/applications/${id}`,
          applicationId: id,
          old: { ...applicationView(before) },
          new: { ...view },
        });
        return view;
      }),
    );
  }

  /** Deletes an Application that has no campaigns. Throws `application-not-found`, `application-in-use`. */
  async delete(caller: Caller, id: number): Promise<void> {
    try {
      await this.transactions.endAuthority(caller, lockNothing, async (write) => {
        const { tx } = write;
        const before = await locked(tx, id);
        const endedKeys = await this.keys.onlyFor(tx, id);
        await tx.delete(Application, { id });
        write.record({
          entity: `DELETE /v1/applications/${id}`,
          applicationId: id,
          old: { ...applicationView(before), ...(endedKeys.length > 0 && { endedKeys }) },
        });
      });
    } catch (error) {
      if (error instanceof ForeignKeyViolation) {
        throw new Problem('application-in-use', `Application ${id} still has campaigns: delete them first.`);
      }
      throw error;
    }
  }

  private async keepingNamesUnique<Result>(name: string | undefined, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UniqueViolation) {
        throw new Problem('application-name-taken', `Another Application is called "${name}", if case is ignored.`);
      }
      throw error;
    }
  }
}

function orNotFound(application: Application | null, id: number): Application {
  if (!application) {
    throw new Problem('application-not-found', `There is no Application ${id}.`);
  }
  return application;
}

/** Locks the row until the transaction ends, so that the audit log records the true old values. */
async function locked(tx: EntityManager, id: number): Promise<Application> {
  return orNotFound(await tx.findOne(Application, { where: { id }, ...forUpdate(tx) }), id);
}
