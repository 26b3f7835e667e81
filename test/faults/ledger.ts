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
  state: string;
}

/**
 * What a client was told, and so may rely on. What was asked for and not answered is `in doubt`, until it was looked
 * at once: whatever it was found to be, it stays.
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

  import(path: string): ImportEntry {
    return note(this.imports, { path, state: 'in doubt' });
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
