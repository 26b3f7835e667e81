import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Config } from '../config/config.js';
import { withStartLock } from '../database/migrate.js';
import type { ReadRepository } from '../database/read-repository.js';
import { User } from './user.entity.js';
import { UsersService } from './users.service.js';

/** Makes the first admin when the process starts on a database without any user. */
@Injectable()
export class FirstAdmin implements OnApplicationBootstrap {
  constructor(
    private readonly config: Config,
    @InjectRepository(User) private readonly rows: ReadRepository<User>,
    private readonly users: UsersService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if ((await this.rows.count()) > 0) {
      return;
    }
    await withStartLock(this.config, async () => {
      if ((await this.rows.count()) === 0) {
        const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = this.config;
        if (email !== undefined && password !== undefined) {
          await this.users.createFirstAdmin(email, password);
        }
      }
    });
  }
}
