import { rmSync, writeFileSync } from 'node:fs';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Config, ConfigurationError } from '../config/config.js';
import { engineOf, sqliteFile } from '../database/data-source.js';
import { withStartLock } from '../database/migrate.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import { findPasswordFault } from './passwords/password-rules.js';
import { mintPassword } from './passwords/passwords.js';
import { User } from './user.entity.js';
import { UsersService } from './users.service.js';

/**
 * The e-mail address of the first admin if none is configured. It receives no mail, because `.localhost` is reserved.
 */
const UNNAMED_EMAIL = 'admin@latchkey.localhost';

/** Creates the first admin when the process starts on a database without users (deleted users count). */
@Injectable()
export class FirstAdmin implements OnApplicationBootstrap {
  private readonly logger = new Logger('FirstAdmin');

  constructor(
    private readonly config: Config,
    @InjectRepository(User) private readonly rows: ReadRepository<User>,
    private readonly users: UsersService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if ((await this.rows.count()) > 0) {
      if (this.config.ADMIN_EMAIL !== undefined) {
        this.logger.log('There are users already: ADMIN_EMAIL and ADMIN_PASSWORD are not used');
      }
      return;
    }
    await withStartLock(this.config, async () => {
      if ((await this.rows.count()) === 0) {
        await this.make();
      }
    });
  }

  private async make(): Promise<void> {
    const { ADMIN_EMAIL, ADMIN_PASSWORD } = this.config;
    if (ADMIN_EMAIL !== undefined && ADMIN_PASSWORD !== undefined) {
      const fault = await findPasswordFault(ADMIN_PASSWORD, { email: ADMIN_EMAIL });
      if (fault !== undefined) {
        throw new ConfigurationError(`The environment is not usable:\n  - ADMIN_PASSWORD ${fault}`);
      }
      await this.users.createFirstAdmin(ADMIN_EMAIL, ADMIN_PASSWORD);
      this.logger.log(`The first admin was created: sign in as ${ADMIN_EMAIL} with the password of ADMIN_PASSWORD`);
      return;
    }
    const password = await mintPassword({ email: UNNAMED_EMAIL });
    const text = `E-mail address: ${UNNAMED_EMAIL}\nPassword: ${password}\n`;
    if (process.stdout.isTTY) {
      await this.users.createFirstAdmin(UNNAMED_EMAIL, password);
      process.stdout.write(`\nThe first admin was created. This is shown only once:\n${text}\n`);
      return;
    }
    if (engineOf(this.config) === 'mysql') {
      throw new ConfigurationError(
        'The database has no user yet: set ADMIN_EMAIL and ADMIN_PASSWORD for the first admin, or start once on a terminal.',
      );
    }
    await this.makeWithFile(password, text);
  }

  /**
   * Creates the file before the user. Otherwise a crash in between would leave an admin whose password is lost.
   */
  private async makeWithFile(password: string, text: string): Promise<void> {
    // The file is beside the database and named after it, because another database in the same folder has another
    // admin.
    const file = `${sqliteFile(this.config)}.first-admin.txt`;
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode: 0o600, flag: 'wx', flush: true });
    try {
      await this.users.createFirstAdmin(UNNAMED_EMAIL, password);
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
    process.stdout.write(`The first admin was created. The file ${file} says how to sign in: delete it afterwards.\n`);
  }
}
