import type { IncomingMessage } from 'node:http';

/** As much of a caller as a log may tell. */
export interface CallerInLog {
  kind: 'user' | 'api-key';
  id: number;
  /** The first characters of a key. */
  hint?: string;
}

/** What a log tells about the problem with which a request is answered; every `Problem` is one. */
export interface ProblemInLog {
  readonly code: string;
  readonly status: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly about?: CallerInLog;
  readonly extensions: { readonly endpoint?: string };
  readonly cause?: unknown;
}

/** What was found out about a request while it was being answered, for its line in the log. */
export interface RequestNotes {
  caller?: CallerInLog;
  problem?: ProblemInLog;
}

const notes = new WeakMap<IncomingMessage, RequestNotes>();

/** Notes who is calling, whether or not they will be let in. */
export function noteCaller(request: IncomingMessage, caller: CallerInLog): void {
  ofRequest(request).caller = caller;
}

/** Notes with what problem a request is answered. */
export function noteProblem(request: IncomingMessage, problem: ProblemInLog): void {
  const noted = ofRequest(request);
  noted.problem = problem;
  noted.caller ??= problem.about;
}

/** What was noted about a request. */
export function notesOf(request: IncomingMessage): RequestNotes {
  return notes.get(request) ?? {};
}

function ofRequest(request: IncomingMessage): RequestNotes {
  let noted = notes.get(request);
  if (!noted) {
    noted = {};
    notes.set(request, noted);
  }
  return noted;
}
