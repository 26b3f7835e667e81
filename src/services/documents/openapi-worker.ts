import { parentPort, workerData } from 'node:worker_threads';
import { readServiceBody } from './openapi-body.js';

// Parses one body and returns its content. The thread that started this one limits its time and memory.
parentPort!.postMessage(readServiceBody(workerData as Uint8Array));
