import type { Milliseconds } from '../database/times.js';

/** Why a key does not work, in the order in which reasons are looked for. */
export type KeyFault = 'creator-deleted' | 'creator-deactivated' | 'expired' | 'no-application-left';

/** The states that an admin sees. */
export const API_KEY_STATES = ['valid', 'expires-soon', 'expired', 'invalid'] as const;
export type ApiKeyState = (typeof API_KEY_STATES)[number];

/** A valid key is shown as `expires-soon` from this long before its expiry. */
export const EXPIRES_SOON_MS = 7 * 24 * 60 * 60 * 1000;

/** What a key's life hangs on. */
export interface KeyVitals {
  creatorState: string;
  expiryDate: Milliseconds;
  allApplications: boolean;
  applicationCount: number;
}

/** Why a key does not work at a given time; nothing if it does. Every decision about a key's life is this one. */
export function faultOf(key: KeyVitals, now: Milliseconds): KeyFault | undefined {
  if (key.creatorState === 'deleted') {
    return 'creator-deleted';
  }
  if (key.creatorState !== 'active') {
    return 'creator-deactivated';
  }
  if (now >= key.expiryDate) {
    return 'expired';
  }
  return key.allApplications || key.applicationCount > 0 ? undefined : 'no-application-left';
}

/** The state of a key as an admin sees it. */
export function stateOf(key: KeyVitals, now: Milliseconds): ApiKeyState {
  const fault = faultOf(key, now);
  switch (fault) {
    case undefined:
      return now >= key.expiryDate - EXPIRES_SOON_MS ? 'expires-soon' : 'valid';
    case 'expired':
      return 'expired';
    case 'creator-deleted':
    case 'creator-deactivated':
    case 'no-application-left':
      return 'invalid';
    default:
      return fault satisfies never;
  }
}

/** Selects something where there is an Application left that a key `k` is limited to. */
export const SOME_APPLICATION_SQL = 'SELECT 1 FROM api_key_applications a WHERE a.api_key_id = k.id';

/** `stateOf` in SQL, for filtering: over `api_keys k` joined with its creator `u`, with parameters `:now` and `:soon`. */
export const STATE_SQL = `CASE
  WHEN u.state <> 'active' THEN 'invalid'
  WHEN k.expiry_date <= :now THEN 'expired'
  WHEN k.all_applications = 0 AND NOT EXISTS (${SOME_APPLICATION_SQL}) THEN 'invalid'
  WHEN k.expiry_date <= :soon THEN 'expires-soon'
  ELSE 'valid'
END`;
