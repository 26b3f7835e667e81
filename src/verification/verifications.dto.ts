import { IsString, Matches } from 'class-validator';
import type { ApiKeyState } from '../api-keys/key-condition.js';
import { Length, MaxLength } from '../input/fields/length.js';
import type { ProblemCode } from '../problems/problem-codes.js';
import { IfPresent } from '../input/fields/presence.js';

/** Whether a key may do something. */
export class NewVerification {
  /** The key that was presented.
   * @example "lkm_3fK9cY7pQm2XaLr0TzB4nVwd8sHgUeJ1iRoK6x5ZtNvEXAMPL" */
  @IsString()
  @MaxLength(10_000)
  key: string;

  /** The service that the request is for; `management`, Latchkey itself, where it is left out.
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

  /** The raw path of the request, not decoded, with its query: some services tell operations apart by it.
   * @example "/v1/applications/1/invoices" */
  @IsString()
  path: string;
}

/** The endpoint that a request is for. */
export class VerifiedEndpoint {
  /** The service that has the endpoint.
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
  /** The key's id.
   * @example 34 */
  id: number;

  /** What the key is for.
   * @example "Invoice reader" */
  name: string;

  /** The first characters of the key.
   * @example "lkm_3fK9" */
  hint: string;

  /** The id of the admin who made it.
   * @example 280 */
  createdBy: number;

  /** The first moment at which the key no longer works.
   * @example "2027-06-30T22:00:00.000Z" */
  expiryDate: string;

  /** Whether it works: `expires-soon` still does, and expires within 7 days.
   * @example "valid" */
  state: ApiKeyState;
}

/** Whether the key may do that, and why not. */
export class Verification {
  /** Whether the key may do that.
   * @example true */
  valid: boolean;

  /** `valid`, or the first reason against it.
   * @example "valid" */
  code: 'valid' | ProblemCode;

  /** The reason in words.
   * @example "The key opens GET /v1/applications/{applicationId}/invoices." */
  detail: string;

  /** The endpoint that the request is for, if there is one and the key got that far. */
  endpoint: VerifiedEndpoint | null;

  /** The Application that the request is for, if the endpoint works with one and the key opens it.
   * @example 1 */
  applicationId: number | null;

  /** The key, if there is one. Never its value. */
  key: VerifiedKey | null;
}
