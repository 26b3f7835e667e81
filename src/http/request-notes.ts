import type { IncomingMessage } from 'node:http';
import type { Problem } from './problem.js';

/** As much of a caller as a log may tell. */
export interface CallerInLog {
  kind: 'user' | 'api-key';
  id: number;
  /** The first characters of a key. */
  hint?: string;
}

/** What was found out about a request while it was being answered, for its line in the log. */
export interface RequestNotes {
  caller?: CallerInLog;
  problem?: Problem;
}

const notes = new WeakMap<IncomingMessage, RequestNotes>();

/** Notes who is calling, whether or not they will be let in. */
export function noteCaller(request: IncomingMessage, caller: CallerInLog): void {
  ofRequest(request).caller = caller;
}

/** Notes with what problem a request is answered. */
export function noteProblem(request: IncomingMessage, problem: Problem): void {
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
