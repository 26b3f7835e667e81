import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AdminOnly, Caller } from '../access/access.decorators.js';
import type { Principal } from '../access/principal.js';
import { Problems } from '../http/problems.decorator.js';
import { NewUser, UserView } from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('Users')
@Controller('v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @AdminOnly('Create a user')
  @Problems('email-taken', 'too-busy')
  @Post()
  createUser(@Caller() caller: Principal, @Body() user: NewUser): Promise<UserView> {
    return this.users.create(caller, user);
  }
}
