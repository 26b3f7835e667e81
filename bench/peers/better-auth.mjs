// Serves Better Auth with its api-key plugin on MySQL, with plain node:http. Its limit of requests per key is off.
// Everything else has its default. At its start it creates KEYS keys, unless they exist, and writes them to KEY_FILE.
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { createPool } from 'mysql2/promise';

const options = {
  database: createPool({
    uri: process.env.DATABASE_URL,
    timezone: 'Z',
    connectionLimit: Number(process.env.POOL_SIZE),
  }),
  secret: 'only for measuring, and long enough for it',
  baseURL: 'http://127.0.0.1',
  emailAndPassword: { enabled: true },
  logger: { level: 'error' },
  telemetry: { enabled: false },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
};
const { runMigrations } = await getMigrations(options);
await runMigrations();
const auth = betterAuth(options);

if (!existsSync(process.env.KEY_FILE)) {
  const { user } = await auth.api.signUpEmail({
    body: { name: 'Bench', email: `${Date.now()}@example.com`, password: 'a password for the bench' },
  });
  const keys = [];
  for (let nth = 0; nth < Number(process.env.KEYS); nth += 1) {
    const permissions = { [`things${nth % 50}`]: ['read'] };
    const { key } = await auth.api.createApiKey({ body: { name: `Key ${nth}`, userId: user.id, permissions } });
    keys.push(key);
  }
  writeFileSync(process.env.KEY_FILE, keys.join('\n'));
}

const server = createServer(async (request, response) => {
  try {
    const resource = request.url.slice(1);
    const { valid, key } = await auth.api.verifyApiKey({
      body: { key: request.headers['x-api-key'], permissions: { [resource]: ['read'] } },
    });
    if (valid) {
      response.writeHead(200, { 'Content-Length': 0, 'Cache-Control': 'no-store', 'X-Key-Id': key.id });
    } else {
      response.writeHead(401, { 'Content-Length': 0 });
    }
  } catch (error) {
    console.error(error);
    response.writeHead(503, { 'Content-Length': 0 });
  }
  response.end();
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
