import { Entity, Index, PrimaryColumn } from 'typeorm';
import { IntColumn, TimeColumn } from '../../database/columns.js';

/** Failed sign-ins counted under one key, such as an address or an account from an address. */
@Entity('sign_in_attempts')
@Index('ix_sign_in_attempts_expires', ['expires'])
export class SignInAttempt {
  @PrimaryColumn({ name: 'counter', type: 'varchar', length: 255 })
  counter: string;

  @IntColumn('amount')
  amount: number;

  @TimeColumn('expires')
  expires: number;
}

/** An address from which an account was signed in to lately. */
@Entity('sign_in_addresses')
@Index('ix_sign_in_addresses_expires', ['expires'])
export class SignInAddress {
  @PrimaryColumn({ name: 'user_id', type: 'int' })
  userId: number;

  @PrimaryColumn({ name: 'address', type: 'varchar', length: 64 })
  address: string;

  @TimeColumn('expires')
  expires: number;
}
