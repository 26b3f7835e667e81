import { IsString, Matches } from 'class-validator';
import type { ApiKeyState } from '../api-keys/key-condition.js';
import { Length, MaxLength } from '../input/fields/length.js';
import type { ProblemCode } from '../problems/problem-codes.js';
import { IfPresent } from '../input/fields/presence.js';

/** A request to verify a key. */
export class NewVerification {
  /** The secret that was presented.
   * @example "lkm_3fK9cY7pQm2XaLr0TzB4nVwd8sHgUeJ1iRoK6x5ZtNvEXAMPL" */
  @IsString()
  @MaxLength(10_000)
  key: string;

  /** The service that received the request. Default: `management`, Latchkey itself.
   * @example "billing" */
  @IfPresent()
  @IsString()
  @Length(1, 100)
  service?: string;

  /** The HTTP method of the request.
   * @example "GET" */
  @IsString()
  @Matches(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/, { message: 'method must be an HTTP method' })
  method: string;

  /** The raw path of the request with its query, not decoded. The query is needed because some services distinguish
   * operations by it.
   * @example "/v1/applications/1/invoices" */
  @IsString()
  path: string;
}

/** The endpoint of the request. */
export class VerifiedEndpoint {
  /** The service of the endpoint.
   * @example "billing" */
  service: string;

  /** The HTTP method.
   * @example "GET" */
  method: string;

  /** The path template.
   * @example "/v1/applications/{applicationId}/invoices" */
  path: string;
}

/** The key that was presented. */
export class VerifiedKey {
  /** The id of the key.
   * @example 34 */
  id: number;

  /** The purpose of the key.
   * @example "Invoice reader" */
  name: string;

  /** The first characters of the secret, by which people recognise the key.
   * @example "lkm_3fK9" */
  hint: string;

  /** The id of the admin who created the key.
   * @example 280 */
  createdBy: number;

  /** The first moment at which the key no longer works.
   * @example "2027-06-30T22:00:00.000Z" */
  expiryDate: string;

  /** Whether the key works. `expires-soon` means that it works and expires within 7 days.
   * @example "valid" */
  state: ApiKeyState;
}

/** Whether the key may make the request, and why not. */
export class Verification {
  /** Whether the key may make the request.
   * @example true */
  valid: boolean;

  /** `valid`, or the code of the first reason for the refusal.
   * @example "valid" */
  code: 'valid' | ProblemCode;

  /** The reason in words.
   * @example "The key opens GET /v1/applications/{applicationId}/invoices." */
  detail: string;

  /** The endpoint of the request; null if there is none, or if the key itself is refused. */
  endpoint: VerifiedEndpoint | null;

  /** The Application of the request; null if the endpoint works with the whole account, or if the key does not open the
   * Application.
   * @example 1 */
  applicationId: number | null;

  /** The key; null if there is no such key. It never contains the secret. */
  key: VerifiedKey | null;
}
