import { parentPort, workerData } from 'node:worker_threads';
import { readServiceBody } from './openapi-body.js';

// The whole of this thread: one body in, what is in it out. Time and memory are bounded by the thread that started it.
parentPort!.postMessage(readServiceBody(workerData as Uint8Array));
