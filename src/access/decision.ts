import { parseId } from '../input/id.pipe.js';
import { type Access, type Endpoint, type Grant, grantId, isGrantFor } from './access.js';
import type { Principal } from './principal.js';

/** Why a known caller is refused. The problem has the same code. */
export type RefusalCode =
  | 'credential-missing'
  | 'admin-required'
  | 'endpoint-not-allowed'
  | 'owner-not-admin'
  | 'application-malformed'
  | 'application-not-allowed';

export type Decision =
  { allowed: true; applicationId: number | null } | { allowed: false; code: RefusalCode; detail: string };

/**
 * The fields of an endpoint that the decision needs. Sessions cannot open endpoints of other services: only keys can.
 */
export interface JudgedEndpoint extends Grant, Pick<Endpoint, 'scope' | 'grantable'> {
  access: Access | { kind: 'key'; session: 'none' };
}

const ALLOWED: Decision = { allowed: true, applicationId: null };

/**
 * Decides whether a caller may use an endpoint. This pure function is the whole rule for routes, verifications and
 * forward auth.
 *
 * @param caller a principal whose credential was valid when this request read it; undefined if unauthenticated
 * @param applicationId the decoded value of the path's Application parameter; undefined for account scope
 */
export function decide(endpoint: JudgedEndpoint, caller: Principal | undefined, applicationId?: string): Decision {
  const { access } = endpoint;
  if (access.kind === 'public') {
    return ALLOWED;
  }
  if (!caller) {
    return refuse('credential-missing', 'Present a credential in the Authorization header.');
  }
  switch (caller.kind) {
    case 'user':
      return decideForUser(access, caller.isAdmin);
    case 'api-key':
      return decideForKey(endpoint, caller, applicationId);
    default:
      return caller satisfies never;
  }
}

function decideForUser(access: JudgedEndpoint['access'], isAdmin: boolean): Decision {
  switch (access.kind) {
    case 'public':
    case 'signed-in':
      return ALLOWED;
    case 'admin-only':
      return isAdmin ? ALLOWED : refuse('admin-required', 'Only an admin may do this.');
    case 'key':
      switch (access.session) {
        case 'any':
          return ALLOWED;
        case 'admin':
          return isAdmin
            ? ALLOWED
            : refuse('admin-required', 'Only an admin, or a key with this endpoint, may do this.');
        case 'none':
          return refuse('endpoint-not-allowed', 'Only keys open this endpoint.');
        default:
          return access satisfies never;
      }
    default:
      return access satisfies never;
  }
}

function decideForKey(
  endpoint: JudgedEndpoint,
  key: Extract<Principal, { kind: 'api-key' }>,
  applicationId: string | undefined,
): Decision {
  const { method, path, scope } = endpoint;
  if (endpoint.access.kind !== 'key' || !endpoint.grantable) {
    return refuse('endpoint-not-allowed', `No key opens ${method} ${path}: sign in for it.`);
  }
  if (!key.grants.has(grantId(endpoint))) {
    return [...key.grants].some((grant) => isGrantFor(grant, endpoint))
      ? refuse(
          'endpoint-not-allowed',
          `${method} ${path} changed since it was granted: an admin must confirm the change.`,
        )
      : refuse('endpoint-not-allowed', `The key was not granted ${method} ${path}.`);
  }
  if (endpoint.access.session === 'admin' && !key.ownerIsAdmin) {
    return refuse(
      'owner-not-admin',
      `${method} ${path} needs an admin, and user ${key.createdBy}, who created the key, is not an admin any more.`,
    );
  }
  if (scope === 'account') {
    return key.allApplications
      ? ALLOWED
      : refuse(
          'application-not-allowed',
          `${method} ${path} is about all Applications, and the key is limited to some.`,
        );
  }
  const id = applicationId === undefined ? undefined : parseId(applicationId);
  if (key.allApplications) {
    return { allowed: true, applicationId: id ?? null };
  }
  if (id === undefined) {
    return refuse(
      'application-malformed',
      'The Application id in the path is not a whole number from 1 to 2147483647.',
    );
  }
  return key.applicationIds.has(id)
    ? { allowed: true, applicationId: id }
    : refuse('application-not-allowed', `The key does not open Application ${id}.`);
}

function refuse(code: RefusalCode, detail: string): Decision {
  return { allowed: false, code, detail };
}
