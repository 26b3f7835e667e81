import type { Milliseconds } from '../database/times.js';

/** Why a key does not work, in the order in which the reasons are checked. */
export type KeyFault = 'creator-deleted' | 'creator-deactivated' | 'expired' | 'no-application-left';

/** The states of keys that admins see. */
export const API_KEY_STATES = ['valid', 'expires-soon', 'expired', 'invalid'] as const;
export type ApiKeyState = (typeof API_KEY_STATES)[number];

/** How long before its expiry a valid key is shown as `expires-soon`. */
export const EXPIRES_SOON_MS = 7 * 24 * 60 * 60 * 1000;

/** The facts that decide whether a key works. */
export interface KeyVitals {
  creatorState: string;
  expiryDate: Milliseconds;
  allApplications: boolean;
  applicationCount: number;
}

/**
 * Returns why a key does not work at a given time, or undefined if it works. All code that checks a key uses this
 * function.
 */
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

/** Returns the state of a key as admins see it. */
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

/** Selects a row if at least one of the Applications that a key `k` is limited to still exists. */
export const SOME_APPLICATION_SQL = 'SELECT 1 FROM api_key_applications a WHERE a.api_key_id = k.id';

/**
 * `stateOf` in SQL, for filters. It needs `api_keys k` joined with its creator `u`, and the parameters `:now` and
 * `:soon`.
 */
export const STATE_SQL = `CASE
  WHEN u.state <> 'active' THEN 'invalid'
  WHEN k.expiry_date <= :now THEN 'expired'
  WHEN k.all_applications = 0 AND NOT EXISTS (${SOME_APPLICATION_SQL}) THEN 'invalid'
  WHEN k.expiry_date <= :soon THEN 'expires-soon'
  ELSE 'valid'
END`;
