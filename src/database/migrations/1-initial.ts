import type { MigrationInterface, QueryRunner } from 'typeorm';
import {
  bigint,
  createTable,
  double,
  flag,
  id,
  index,
  int,
  longText,
  primaryInt,
  primaryText,
  references,
  text,
  unique,
} from './tables.js';

const TABLES = [
  'catalogue_revision',
  'service_endpoints',
  'services',
  'changes',
  'coupon_imports',
  'coupons',
  'campaigns',
  'api_key_usage',
  'api_key_endpoints',
  'api_key_applications',
  'api_keys',
  'applications',
  'sign_in_addresses',
  'sign_in_attempts',
  'sessions',
  'users',
];

/** The tables of the first release. */
export class Initial1 implements MigrationInterface {
  name = 'Initial0000000000001';

  async up(runner: QueryRunner): Promise<void> {
    await createTable(
      runner,
      'users',
      [
        id(),
        bigint('created'),
        bigint('modified'),
        text('name', 100),
        text('name_key', 400),
        text('email', 254),
        text('email_key', 254, { nullable: true }),
        text('state', 20),
        flag('is_admin'),
        text('password_hash', 200),
        int('credentials_version'),
        bigint('last_signed_in', { nullable: true }),
      ],
      { indices: [unique('uq_users_email_key', 'email_key')] },
    );
    await createTable(
      runner,
      'sessions',
      [id(), bigint('created'), bigint('expires'), int('user_id'), text('token_hash', 64), int('credentials_version')],
      {
        indices: [
          unique('uq_sessions_token_hash', 'token_hash'),
          index('ix_sessions_user_id', 'user_id'),
          index('ix_sessions_expires', 'expires'),
        ],
        foreignKeys: [references('fk_sessions_user', 'user_id', 'users', 'CASCADE')],
      },
    );
    await createTable(runner, 'sign_in_attempts', [primaryText('counter', 255), int('amount'), bigint('expires')], {
      indices: [index('ix_sign_in_attempts_expires', 'expires')],
    });
    await createTable(
      runner,
      'sign_in_addresses',
      [primaryInt('user_id'), primaryText('address', 64), bigint('expires')],
      { indices: [index('ix_sign_in_addresses_expires', 'expires')] },
    );
    await createTable(
      runner,
      'applications',
      [
        id(),
        bigint('created'),
        bigint('modified'),
        text('name', 100),
        text('name_key', 400),
        longText('description'),
        text('timezone', 64),
        text('currency', 3),
        longText('attributes'),
      ],
      { indices: [unique('uq_applications_name_key', 'name_key')] },
    );
    await this.createApiKeys(runner);
    await this.createCampaigns(runner);
    await createTable(
      runner,
      'changes',
      [
        id(),
        bigint('created'),
        int('user_id'),
        int('application_id', { nullable: true }),
        text('entity', 512),
        int('management_key_id', { nullable: true }),
        flag('hidden_from_keys'),
        longText('old', { nullable: true }),
        longText('new', { nullable: true }),
      ],
      {
        indices: [
          index(
            'ix_changes_created',
            'created',
            'id',
            'hidden_from_keys',
            'user_id',
            'application_id',
            'management_key_id',
            'entity',
          ),
          index(
            'ix_changes_user_id',
            'user_id',
            'created',
            'id',
            'hidden_from_keys',
            'application_id',
            'management_key_id',
            'entity',
          ),
          index(
            'ix_changes_application_id',
            'application_id',
            'created',
            'id',
            'hidden_from_keys',
            'user_id',
            'management_key_id',
            'entity',
          ),
          index(
            'ix_changes_management_key_id',
            'management_key_id',
            'created',
            'id',
            'hidden_from_keys',
            'user_id',
            'application_id',
            'entity',
          ),
        ],
      },
    );
    await this.createServices(runner);
  }

  private async createApiKeys(runner: QueryRunner): Promise<void> {
    await createTable(
      runner,
      'api_keys',
      [
        id(),
        bigint('created'),
        int('created_by'),
        text('name', 100),
        text('name_key', 400),
        text('key_hash', 64),
        text('hint', 16),
        bigint('expiry_date'),
        flag('all_applications'),
      ],
      {
        indices: [unique('uq_api_keys_key_hash', 'key_hash'), index('ix_api_keys_created_by', 'created_by')],
        foreignKeys: [references('fk_api_keys_created_by', 'created_by', 'users', 'NO ACTION')],
      },
    );
    await createTable(runner, 'api_key_applications', [primaryInt('api_key_id'), primaryInt('application_id')], {
      indices: [index('ix_api_key_applications_application_id', 'application_id')],
      foreignKeys: [
        references('fk_api_key_applications_api_key', 'api_key_id', 'api_keys', 'CASCADE'),
        references('fk_api_key_applications_application', 'application_id', 'applications', 'CASCADE'),
      ],
    });
    await createTable(
      runner,
      'api_key_endpoints',
      [primaryInt('api_key_id'), primaryInt('position'), text('service', 42), text('method', 16), text('path', 512)],
      {
        indices: [index('ix_api_key_endpoints_endpoint', 'service', 'method', 'path')],
        foreignKeys: [references('fk_api_key_endpoints_api_key', 'api_key_id', 'api_keys', 'CASCADE')],
      },
    );
    await createTable(
      runner,
      'api_key_usage',
      [
        primaryInt('api_key_id'),
        primaryText('counter', 64),
        int('day'),
        text('service', 42),
        text('method', 16),
        text('path', 512),
        int('application_id', { nullable: true }),
        text('outcome', 40),
        bigint('amount'),
        bigint('last_used'),
      ],
      { indices: [index('ix_api_key_usage_last_used', 'api_key_id', 'outcome', 'last_used')] },
    );
  }

  private async createCampaigns(runner: QueryRunner): Promise<void> {
    await createTable(
      runner,
      'campaigns',
      [
        id(),
        bigint('created'),
        bigint('updated'),
        int('application_id'),
        int('user_id'),
        int('updated_by'),
        text('name', 255),
        text('name_key', 1020),
        longText('description'),
        bigint('start_time', { nullable: true }),
        bigint('end_time', { nullable: true }),
        longText('attributes'),
        text('state', 10),
        longText('tags'),
        longText('tags_key'),
        flag('reevaluate_on_return'),
        longText('features'),
        longText('limits'),
        flag('being_deleted'),
      ],
      {
        indices: [
          index('ix_campaigns_application_id', 'application_id', 'id'),
          index('ix_campaigns_being_deleted', 'being_deleted'),
        ],
        foreignKeys: [references('fk_campaigns_application', 'application_id', 'applications', 'NO ACTION')],
      },
    );
    await createTable(
      runner,
      'coupons',
      [
        id(),
        bigint('created'),
        int('campaign_id'),
        int('application_id'),
        text('value', 100),
        int('usage_limit'),
        int('usage_counter'),
        double('discount_limit', { nullable: true }),
        double('discount_counter'),
        int('reservation_limit', { nullable: true }),
        bigint('start_date', { nullable: true }),
        bigint('expiry_date', { nullable: true }),
        longText('attributes'),
        text('recipient_integration_id', 255, { nullable: true }),
        int('import_id', { nullable: true }),
        text('batch_id', 36, { nullable: true }),
        flag('is_reservation_mandatory'),
      ],
      {
        indices: [
          unique('uq_coupons_application_value', 'application_id', 'value'),
          index(
            'ix_coupons_campaign_id',
            'campaign_id',
            'id',
            'created',
            'start_date',
            'expiry_date',
            'usage_limit',
            'usage_counter',
            'value',
          ),
          index('ix_coupons_batch_id', 'campaign_id', 'batch_id'),
          index('ix_coupons_recipient', 'campaign_id', 'recipient_integration_id'),
        ],
        foreignKeys: [references('fk_coupons_campaign', 'campaign_id', 'campaigns', 'NO ACTION')],
      },
    );
    await createTable(
      runner,
      'coupon_imports',
      [id(), bigint('created'), int('campaign_id'), int('user_id'), int('amount')],
      { indices: [index('ix_coupon_imports_campaign_id', 'campaign_id')] },
    );
  }

  private async createServices(runner: QueryRunner): Promise<void> {
    await createTable(
      runner,
      'services',
      [
        id(),
        text('service', 42),
        bigint('created'),
        bigint('modified'),
        text('name', 100),
        longText('description'),
        text('application_parameter', 100),
        longText('skipped'),
      ],
      { indices: [unique('uq_services_service', 'service')] },
    );
    await createTable(
      runner,
      'service_endpoints',
      [
        id(),
        int('service_id'),
        text('method', 16),
        text('path', 512),
        text('shape', 512),
        flag('application_scoped'),
        longText('summary'),
        text('tag', 255),
        flag('deprecated'),
      ],
      {
        indices: [unique('uq_service_endpoints_shape', 'service_id', 'method', 'shape')],
        foreignKeys: [references('fk_service_endpoints_service', 'service_id', 'services', 'CASCADE')],
      },
    );
    await createTable(runner, 'catalogue_revision', [id(), int('revision')]);
    const [row] = (await runner.query('SELECT id FROM catalogue_revision')) as unknown[];
    if (!row) {
      await runner.query('INSERT INTO catalogue_revision (id, revision) VALUES (1, 1)');
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await runner.dropTable(table, true);
    }
  }
}
