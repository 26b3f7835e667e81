import { request as httpRequest } from 'node:http';
import type { Answer, Client, ProblemBody } from '../support/client.js';
import { createApplication } from '../support/fixtures.js';

/** A coupon as the API shows it. */
export interface Coupon extends Record<string, unknown> {
  id: number;
  created: string;
  campaignId: number;
  value: string;
  usageLimit: number;
  discountLimit: number | null;
  reservationLimit: number | null;
  startDate: string | null;
  expiryDate: string | null;
  attributes: Record<string, unknown>;
  recipientIntegrationId: string | null;
  importId: number | null;
  batchId: string | null;
  isReservationMandatory: boolean;
}

/** The response to an import, whether it succeeded or not. */
export interface ImportAnswer extends ProblemBody {
  id: number;
  created: string;
  accountId: number;
  userId: number;
  entity: string;
  amount: number;
}

/** The response to a generation of coupons, whether it succeeded or not. */
export interface Generated extends ProblemBody {
  totalResultSize: number;
  data: Coupon[];
}

/** A campaign in its own Application, with the path to its coupons. */
export interface CouponPlace {
  applicationId: number;
  campaignId: number;
  /** `/v1/applications/1/campaigns/2` */
  path: string;
}

export const IMPORT_COUPONS = {
  method: 'POST',
  path: '/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons',
};

/** Creates a campaign in an Application. */
export async function createCampaign(client: Client, applicationId: number): Promise<CouponPlace> {
  const { status, body } = await client.post<{ id: number }>(`/v1/applications/${applicationId}/campaigns`, {
    name: 'Summer sale',
  });
  if (status !== 201) {
    throw new Error(`no campaign: ${JSON.stringify(body)}`);
  }
  return { applicationId, campaignId: body.id, path: `/v1/applications/${applicationId}/campaigns/${body.id}` };
}

/** Creates a campaign in its own Application. */
export async function createPlace(admin: Client): Promise<CouponPlace> {
  return createCampaign(admin, await createApplication(admin));
}

/** Uploads a file of coupons. Without a file name it is sent as a text field. */
export function importCoupons(
  client: Client,
  place: CouponPlace,
  csv: string | Uint8Array,
  { query = '', fileName = 'coupons.csv' }: { query?: string; fileName?: string | undefined } = {},
): Promise<Answer<ImportAnswer>> {
  const form = new FormData();
  if (fileName === '') {
    form.append('upFile', csv as string);
  } else {
    form.append('upFile', new Blob([csv]), fileName);
  }
  return client.post<ImportAnswer>(`${place.path}/import_coupons${query}`, form);
}

/** Generates coupons that can be used once. It generates one, unless the body says otherwise. */
export function generateCoupons(
  client: Client,
  place: CouponPlace,
  body: object,
  query = '',
): Promise<Answer<Generated>> {
  return client.post<Generated>(`${place.path}/coupons${query}`, { usageLimit: 1, numberOfCoupons: 1, ...body });
}

/** Returns every coupon that matches a query, from all pages. */
export async function listCoupons(client: Client, place: CouponPlace, query = ''): Promise<Coupon[]> {
  const coupons: Coupon[] = [];
  for (;;) {
    const { status, body } = await client.get<{ hasMore: boolean; data: Coupon[] }>(
      `${place.path}/coupons/no_total?pageSize=1000&skip=${coupons.length}${query && `&${query}`}`,
    );
    if (status !== 200) {
      throw new Error(`no list: ${JSON.stringify(body)}`);
    }
    coupons.push(...body.data);
    if (!body.hasMore) {
      return coupons;
    }
  }
}

/** An upload whose pieces the test sends one by one. */
export interface SlowUpload {
  send(piece: string): void;
  /** Sends the end of the form, and waits for the response. */
  end(): Promise<Answer<ImportAnswer>>;
  /** The response, whenever it arrives. Rejects if the connection ends without one. */
  answer: Promise<Answer<ImportAnswer>>;
  /** Cuts the connection. */
  cut(): void;
}

/** Begins to upload a file of coupons. */
export function beginUpload(client: Client, place: CouponPlace, query = ''): SlowUpload {
  const request = httpRequest(`${client.url}${place.path}/import_coupons${query}`, {
    method: 'POST',
    headers: { authorization: client.authorization, 'content-type': 'multipart/form-data; boundary=XyZ' },
  });
  const answer = new Promise<Answer<ImportAnswer>>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: new Headers(response.headers as Record<string, string>),
          body: JSON.parse(text) as ImportAnswer,
        }),
      );
    });
  });
  // A test that closes the connection does not wait for a response.
  answer.catch(() => undefined);
  request.write('--XyZ\r\nContent-Disposition: form-data; name="upFile"; filename="coupons.csv"\r\n\r\n');
  return {
    send: (piece) => void request.write(piece),
    end: () => {
      request.end('\r\n--XyZ--\r\n');
      return answer;
    },
    answer,
    cut: () => void request.destroy(),
  };
}

/** Waits until a condition holds. The error says what it waited for. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, waitMs = 15_000): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) {
      throw new Error(`waited in vain until ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What tests do with the coupons of the place that they are at. */
export interface CouponCalls {
  /** Returns the codes of all coupons that match a query. */
  values(query?: string): Promise<string[]>;
  /** Imports a file that has no fault. */
  importRows(csv: string): Promise<void>;
  generate(body: object, query?: string): Promise<Answer<Generated>>;
}

/** Returns the calls for a place, which each test may choose anew. */
export function couponCalls(at: () => { admin: Client; place: CouponPlace }): CouponCalls {
  return {
    values: async (query) => (await listCoupons(at().admin, at().place, query)).map(({ value }) => value),
    importRows: async (csv) => {
      const { status, body } = await importCoupons(at().admin, at().place, csv);
      expect([status, body.errors]).toEqual([200, undefined]);
    },
    generate: (body, query) => generateCoupons(at().admin, at().place, body, query),
  };
}
