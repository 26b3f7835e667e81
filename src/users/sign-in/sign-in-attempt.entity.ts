import { Entity, Index, PrimaryColumn } from 'typeorm';
import { IntColumn, TimeColumn } from '../../database/columns.js';

/** The number of failed sign-ins for one counter, such as an address, or an account from an address. */
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

/** An address from which a user signed in recently. */
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
