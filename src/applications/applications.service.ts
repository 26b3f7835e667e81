import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In } from 'typeorm';
import type { ReadRepository } from '../database/read-repository.js';
import { Problem } from '../http/problem.js';
import { Application } from './application.entity.js';

/** Applications and what happens to them. */
@Injectable()
export class ApplicationsService {
  constructor(@InjectRepository(Application) private readonly applications: ReadRepository<Application>) {}

  /** An Application by its id. Throws `application-not-found`. */
  async get(id: number): Promise<Application> {
    const application = await this.applications.findOneBy({ id });
    if (!application) {
      throw new Problem('application-not-found', `There is no Application ${id}.`);
    }
    return application;
  }

  /** Which of these ids are Applications, as seen inside a transaction. */
  async existing(tx: EntityManager, ids: readonly number[]): Promise<Set<number>> {
    const rows = await tx.find(Application, { select: { id: true }, where: { id: In([...ids]) } });
    return new Set(rows.map((row) => row.id));
  }
}
