/** An active user who is signed in, as the database had it when this request read it. */
export interface UserPrincipal {
  kind: 'user';
  userId: number;
  isAdmin: boolean;
  sessionId: number;
}

/** A key, as the database had it when this request read it. */
export interface ApiKeyPrincipal {
  kind: 'api-key';
  apiKeyId: number;
  name: string;
  /** The first characters of the secret, by which people recognise the key. */
  hint: string;
  createdBy: number;
  /** Whether the owner is an admin now. A key never has more authority than its owner. */
  ownerIsAdmin: boolean;
  /** Milliseconds since the epoch. */
  expiryDate: number;
  /** The state that an admin sees, such as `valid` or `expires-soon`. */
  state: string;
  /** Whether the key was created without a list of Applications. */
  allApplications: boolean;
  applicationIds: ReadonlySet<number>;
  /** `grantId`s. */
  grants: ReadonlySet<string>;
  /** The revision of the catalogue that was current when the key was read. */
  catalogueRevision: number;
}

/** Who a credential belongs to. */
export type Principal = UserPrincipal | ApiKeyPrincipal;
