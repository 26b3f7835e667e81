import type { Client } from '../support/client.js';

interface Count {
  day: string;
  service: string;
  method: string;
  path: string;
  applicationId: number | null;
  outcome: string;
  amount: number;
  lastUsed: string;
}

export interface Usage {
  from: string;
  to: string;
  totalResultSize: number;
  data: Count[];
  neverUsed: { service: string; method: string; path: string }[];
}

/** The endpoint that the tests use most. */
export const APPLICATIONS = { method: 'GET', path: '/v1/applications' };

/** Returns the usage of a key, as an admin reads it. */
export async function usageOf(admin: Client, { id }: { id: number }, query = ''): Promise<Usage> {
  const { status, body } = await admin.get<Usage>(`/v1/api_keys/${id}/usage${query}`);
  expect(status).toBe(200);
  return body;
}

/** How long a process may take to write its usage counters, in milliseconds. */
export const WRITTEN_MS = 12_000;

/** Waits until the usage reaches an amount. */
export async function usageOnce(admin: Client, key: { id: number }, amount: number): Promise<Usage> {
  const deadline = performance.now() + WRITTEN_MS;
  for (;;) {
    const usage = await usageOf(admin, key);
    const counted = usage.data.reduce((sum, count) => sum + count.amount, 0);
    if (counted >= amount || performance.now() > deadline) {
      expect(counted).toBe(amount);
      return usage;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Returns the counts without their times: endpoint, Application, outcome and amount. */
export const summary = (usage: Usage): unknown[] =>
  usage.data.map(({ service, method, path, applicationId, outcome, amount }) => [
    `${service} ${method} ${path}`.trim(),
    applicationId,
    outcome,
    amount,
  ]);
