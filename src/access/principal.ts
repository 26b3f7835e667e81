/** A signed-in user: an active one, read from the database for this very request. */
export interface UserPrincipal {
  kind: 'user';
  userId: number;
  isAdmin: boolean;
  sessionId: number;
}

/** A living key: read from the database for this very request. */
export interface ApiKeyPrincipal {
  kind: 'api-key';
  apiKeyId: number;
  name: string;
  /** The first characters of the key, by which people recognise it. */
  hint: string;
  createdBy: number;
  /** Milliseconds since the epoch. */
  expiryDate: number;
  /** Whether the key was made without choosing Applications. */
  allApplications: boolean;
  applicationIds: ReadonlySet<number>;
  /** `endpointId`s. */
  grants: ReadonlySet<string>;
}

/** Who is calling. */
export type Principal = UserPrincipal | ApiKeyPrincipal;
