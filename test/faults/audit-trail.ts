import type { Client } from '../support/client.js';
import type { Page } from './ledger.js';

const PAGE = 1000;

/** Returns the changes in the audit log whose method and path contain a text, oldest first. */
export async function readTrail(client: Client, entityPath: string): Promise<string[]> {
  const entities: string[] = [];
  for (let hasMore = true; hasMore;) {
    const { status, body } = await client.get<Page<{ entity: string }> & { hasMore: boolean }>(
      `/v1/changes?entityPath=${encodeURIComponent(entityPath)}&pageSize=${PAGE}&skip=${entities.length}`,
    );
    if (status !== 200) {
      throw new Error(`no audit trail: ${JSON.stringify(body)}`);
    }
    entities.push(...body.data.map(({ entity }) => entity));
    hasMore = body.hasMore;
  }
  return entities;
}
