import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import { AdminOnly, CurrentCaller, KeyAccess, SignedIn } from '../access/access.decorators.js';
import type { Caller } from '../access/caller.js';
import type { Scan } from '../database/reading/scan-turns.js';
import { Scanning } from '../database/reading/scanning.decorator.js';
import { IdPipe } from '../input/id.pipe.js';
import { Tagged } from '../openapi/tag.decorator.js';
import { Problems } from '../problems/problems.decorator.js';
import { TellsKeysAffected, tellKeysAffected } from '../access/keys-affected.js';
import { UserPasswordsService } from './passwords/user-passwords.service.js';
import {
  ChangedUser,
  NewUser,
  PasswordChange,
  UserByEmail,
  UserPage,
  UserQuery,
  UserUpdate,
  UserView,
} from './users.dto.js';
import { UsersService } from './users.service.js';

const KEYS = 'keys that have not expired stop, or revive, with this change';

@Tagged({
  name: 'Users',
  description: 'The people who can sign in. Admins make keys; a key lives only while its creator is active.',
  place: 20,
  examples: {
    'user-protected': { detail: 'A key can change only users who are not admins and have no keys.' },
    'current-password-wrong': { detail: 'The current password is wrong.' },
    'user-not-found': { detail: 'There is no user 280.' },
    'last-admin': { detail: 'User 1 is the last active admin: create another one first.' },
  },
})
@Controller('v1/users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: UserPasswordsService,
  ) {}

  @Post()
  @AdminOnly('Create a user')
  @Problems('email-taken', 'too-busy')
  createUser(@CurrentCaller() caller: Caller, @Body() user: NewUser): Promise<UserView> {
    return this.users.create(caller, user);
  }

  /** Deleted users are not listed. */
  @Get()
  @KeyAccess('List users', { session: 'admin' })
  getUsers(@Query() query: UserQuery, @Scanning() scan: Scan): Promise<UserPage> {
    return scan.inTurn(() => this.users.list(query));
  }

  @Get(':userId')
  @KeyAccess('Get a user', { session: 'admin' })
  @Problems('user-not-found')
  getUser(@Param('userId', IdPipe) userId: number): Promise<UserView> {
    return this.users.get(userId);
  }

  /**
   * Fields that the request does not name stay unchanged. Deactivating a user ends their sessions and stops the keys
   * that they created, at once. Activating them makes the keys work again. The last active admin cannot be deactivated
   * or demoted.
   */
  @Put(':userId')
  @AdminOnly('Update a user')
  @Problems('user-not-found', 'last-admin')
  updateUser(
    @CurrentCaller() caller: Caller,
    @Param('userId', IdPipe) userId: number,
    @Body() update: UserUpdate,
  ): Promise<ChangedUser> {
    return this.users.update(caller, userId, update);
  }

  /**
   * The deletion takes effect at once and is final. The user's sessions end, the keys that they created never work
   * again, and their name and e-mail address are cleared. A new user may have the same e-mail address, and gets nothing
   * of the deleted one.
   */
  @Delete(':userId')
  @HttpCode(204)
  @AdminOnly('Delete a user')
  @Problems('user-not-found', 'last-admin')
  @TellsKeysAffected(KEYS)
  deleteUser(
    @CurrentCaller() caller: Caller,
    @Param('userId', IdPipe) userId: number,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    return tellKeysAffected(response, this.users.delete(caller, userId));
  }

  /** With a key, you can only activate a user who is not an admin and has no keys. */
  @Post('activate')
  @HttpCode(204)
  @KeyAccess('Activate a user by e-mail address', { session: 'admin' })
  @Problems('user-not-found', 'user-protected')
  @TellsKeysAffected(KEYS)
  activateUserByEmail(
    @CurrentCaller() caller: Caller,
    @Body() { email }: UserByEmail,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    return tellKeysAffected(response, this.users.setStateByEmail(caller, email, 'active'));
  }

  /** With a key, you can only deactivate a user who is not an admin and has no keys. */
  @Post('deactivate')
  @HttpCode(204)
  @KeyAccess('Deactivate a user by e-mail address', { session: 'admin' })
  @Problems('user-not-found', 'user-protected', 'last-admin')
  @TellsKeysAffected(KEYS)
  deactivateUserByEmail(
    @CurrentCaller() caller: Caller,
    @Body() { email }: UserByEmail,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    return tellKeysAffected(response, this.users.setStateByEmail(caller, email, 'deactivated'));
  }

  /** With a key, you can only delete a user who is not an admin and has no keys. */
  @Post('delete')
  @HttpCode(204)
  @KeyAccess('Delete a user by e-mail address', { session: 'admin' })
  @Problems('user-not-found', 'user-protected', 'last-admin')
  @TellsKeysAffected(KEYS)
  deleteUserByEmail(
    @CurrentCaller() caller: Caller,
    @Body() { email }: UserByEmail,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    return tellKeysAffected(response, this.users.deleteByEmail(caller, email));
  }

  /**
   * Sets your own password, with the current password, or, as an admin, that of another user without it. All sessions
   * of that user end.
   */
  @Put(':userId/password')
  @HttpCode(204)
  @SignedIn('Set a password')
  @Problems('user-not-found', 'admin-required', 'current-password-wrong', 'too-many-attempts', 'too-busy')
  setPassword(
    @CurrentCaller() caller: Caller,
    @Param('userId', IdPipe) userId: number,
    @Body() change: PasswordChange,
  ): Promise<void> {
    return this.passwords.change(caller, userId, change);
  }
}
