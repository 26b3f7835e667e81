// Searches continuously on many connections, in its own thread, so that it shares no event loop with the code that
// times decisions.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Sends a GET again and again on each of several connections. `stop` returns the codes of the refusals. */
export async function startSearching({ url, authorization, connections }) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { url, authorization, connections } });
  await once(worker, 'online');
  return {
    stop: async () => {
      worker.postMessage('stop');
      const [refused] = await once(worker, 'message');
      await worker.terminate();
      return refused;
    },
  };
}

if (!isMainThread) {
  const { url, authorization, connections } = workerData;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const refused = [];
  const search = () =>
    request(url, { agent, headers: { authorization } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => (text += piece));
      response.on('end', () => {
        if (response.statusCode !== 200) {
          refused.push(JSON.parse(text).code);
        }
        search();
      });
    }).end();
  for (let nth = 0; nth < connections; nth += 1) {
    search();
  }
  parentPort.once('message', () => parentPort.postMessage(refused));
}
