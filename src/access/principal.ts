/** A signed-in user: an active one, read from the database for this very request. */
export interface UserPrincipal {
  kind: 'user';
  userId: number;
  isAdmin: boolean;
  sessionId: number;
}

/** A key: read from the database for this very request. */
export interface ApiKeyPrincipal {
  kind: 'api-key';
  apiKeyId: number;
  name: string;
  /** The first characters of the key, by which people recognise it. */
  hint: string;
  createdBy: number;
  /** Whether its creator is an admin now: a key never exceeds them. */
  ownerIsAdmin: boolean;
  /** Milliseconds since the epoch. */
  expiryDate: number;
  /** The state that an admin sees, such as `valid` or `expires-soon`. */
  state: string;
  /** Whether the key was made without choosing Applications. */
  allApplications: boolean;
  applicationIds: ReadonlySet<number>;
  /** `grantId`s. */
  grants: ReadonlySet<string>;
  /** The revision of the catalogue that was the present one when the key was read. */
  catalogueRevision: number;
}

/** Who is calling. */
export type Principal = UserPrincipal | ApiKeyPrincipal;
