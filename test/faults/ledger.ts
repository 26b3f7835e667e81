/** One page of a list. */
export interface Page<Row> {
  data: Row[];
}

interface KeyEntry {
  name: string;
  id?: number;
  secret?: string;
  state: string;
}

interface UserEntry {
  email: string;
  id?: number;
  state: string;
}

interface ImportEntry {
  path: string;
  count: number;
  state: string;
}

/** How many entries of each kind a ledger has. */
export interface Lengths {
  keys: number;
  users: number;
  imports: number;
}

/** The length of an empty ledger. */
export const NOTHING: Lengths = { keys: 0, users: 0, imports: 0 };

/**
 * What a client was told and may rely on. A request without a response is `in doubt` until its result is looked up
 * once. That result must then stay.
 */
export class Ledger {
  readonly keys: KeyEntry[] = [];
  readonly users: UserEntry[] = [];
  readonly imports: ImportEntry[] = [];

  key(name: string): KeyEntry {
    return note(this.keys, { name, state: 'in doubt' });
  }

  user(email: string): UserEntry {
    return note(this.users, { email, state: 'in doubt' });
  }

  import(path: string, count: number): ImportEntry {
    return note(this.imports, { path, count, state: 'in doubt' });
  }

  /** How many entries of each kind there are. */
  get lengths(): Lengths {
    return { keys: this.keys.length, users: this.users.length, imports: this.imports.length };
  }

  get inDoubt(): number {
    return this.all.filter(({ state }) => state === 'in doubt').length;
  }

  get acknowledged(): number {
    return this.all.length - this.inDoubt;
  }

  private get all(): { state: string }[] {
    return [...this.keys, ...this.users, ...this.imports];
  }
}

function note<Entry>(entries: Entry[], entry: Entry): Entry {
  entries.push(entry);
  return entry;
}
