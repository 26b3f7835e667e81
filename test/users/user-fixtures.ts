import type { Answer, Client, ProblemBody } from '../support/client.js';

/** A user, as responses show them. */
export interface UserBody {
  id: number;
  created: string;
  modified: string;
  email: string;
  name: string;
  state: string;
  isAdmin: boolean;
  lastSignedIn: string | null;
  keysAffected?: number;
}

/** A user with the password that they were created with. */
export interface CreatedUser extends UserBody {
  password: string;
}

/** A page of the list. */
export interface Page {
  totalResultSize: number;
  data: UserBody[];
}

let count = 0;

/** Creates a user with a name, an address and a password of their own. */
export async function createUser(admin: Client, parts: Record<string, unknown> = {}): Promise<CreatedUser> {
  count += 1;
  const password = `tulip ladder cement ${count}`;
  const user = { name: `User ${count}`, email: `user${count}@example.com`, password, ...parts };
  const answer = await admin.post<UserBody>('/v1/users', user);
  if (answer.status !== 201) {
    throw new Error(`no user: ${JSON.stringify(answer.body)}`);
  }
  return { ...answer.body, password };
}

/** Returns status and code of a refusal. */
export const codeOf = ({ status, body }: Answer<ProblemBody>): string => `${status} ${body.code}`;
