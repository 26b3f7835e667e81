import { toRfc3339 } from '../database/times.js';
import type { Application } from './application.entity.js';
import type { ApplicationView } from './applications.dto.js';

/** Returns an Application as the API shows it. */
export function applicationView(application: Application): ApplicationView {
  return {
    id: application.id,
    created: toRfc3339(application.created),
    modified: toRfc3339(application.modified),
    accountId: 1,
    name: application.name,
    description: application.description,
    timezone: application.timezone,
    currency: application.currency,
    attributes: { ...application.attributes },
    loyaltyPrograms: [],
  };
}
