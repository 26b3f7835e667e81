import { Inject, Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { parseId } from '../input/id.pipe.js';
import { Problem } from '../problems/problem.js';
import { Metrics } from '../metrics/metrics.js';
import { type Endpoint, endpointName, MANAGEMENT, type OwnEndpoint } from './access.js';
import { AUTHENTICATORS, type Authentication, type Authenticator } from './authenticator.js';
import type { Caller } from './caller.js';
import { type Credential, KEY_AUTH_SCHEME, type PresentedCredential } from './credentials.js';
import { decide, type JudgedEndpoint } from './decision.js';
import { createDecisionMetrics, type DecisionKind, type DecisionMetrics } from './decision-metrics.js';
import { DECISION_OBSERVER, type DecisionObserver } from './decision-observer.js';
import { EndpointCatalogue } from './endpoint-catalogue.js';
import { EndpointTree } from './paths/endpoint-tree.js';
import type { ApiKeyPrincipal, Principal } from './principal.js';
import type { RawPath } from './paths/raw-path.js';
import { SERVICE_ENDPOINTS, type ServiceEndpoints } from './service-endpoints.js';

/** An endpoint of any service, with the fields that the decision needs. */
export type KnownEndpoint = Endpoint & JudgedEndpoint;

/** One of Latchkey's own routes, which the framework has already matched. Sessions and keys can open it. */
export interface RouteTarget {
  kind: 'route';
  endpoint: OwnEndpoint;
  /** The decoded value of the path's Application parameter, not yet parsed. Undefined for account scope. */
  applicationId: string | undefined;
}

/** A request to any service, as a proxy or a verification describes it. Only keys can open it. */
export interface RequestTarget {
  kind: 'request';
  service: string;
  method: string;
  /** The path of the request, as `readRawPath` returned it. */
  path: RawPath;
}

/** What a credential is presented for, or the problem of a request that has no target. */
export type Target = RouteTarget | RequestTarget | { kind: 'nowhere'; problem: Problem };

/** Whether a credential opens a target. A refusal includes the key and the endpoint if they were found. */
export type Outcome =
  | {
      kind: 'allowed';
      principal: Principal;
      credential: Credential;
      endpoint: KnownEndpoint;
      applicationId: number | null;
    }
  | { kind: 'refused'; problem: Problem; key: ApiKeyPrincipal | null; endpoint: KnownEndpoint | null };

type Refused = Extract<Outcome, { kind: 'refused' }>;
type Tree = EndpointTree<KnownEndpoint>;

const HEADER_FORMS = {
  route: '"ManagementKey-v1 <key>" or "Bearer <token>"',
  request: '"ManagementKey-v1 <key>"',
  nowhere: '"ManagementKey-v1 <key>"',
} as const;

/**
 * Turns a credential into a decision. Routes, verifications and forward auth have no other way to get one. It caches
 * nothing about the state of a key. It counts each decision once.
 */
@Injectable()
export class Authorizer {
  private readonly authenticators: ReadonlyMap<string, Authenticator>;
  private readonly management: Tree = new EndpointTree();
  private readonly decisions: DecisionMetrics;

  constructor(
    catalogue: EndpointCatalogue,
    private readonly config: Config,
    metrics: Metrics,
    @Inject(AUTHENTICATORS) authenticators: readonly Authenticator[],
    @Inject(SERVICE_ENDPOINTS) private readonly services: ServiceEndpoints,
    @Inject(DECISION_OBSERVER) private readonly observer: DecisionObserver,
  ) {
    this.authenticators = new Map(authenticators.map((authenticator) => [authenticator.scheme, authenticator]));
    this.decisions = createDecisionMetrics(metrics);
    for (const endpoint of catalogue.own) {
      // A described request always comes with a key. So every kind of access but `key` refuses it.
      const access = endpoint.access.kind === 'key' ? endpoint.access : ({ kind: 'key', session: 'none' } as const);
      this.management.add(endpoint.method, endpoint.path, { ...endpoint, access });
    }
  }

  /**
   * Decides from the current state of the database. It checks in a fixed order, and the first reason to refuse wins:
   * the key, the path, the endpoint, the grant, the owner, the Application. Rejects with a 503 problem if it cannot
   * decide in time.
   *
   * @param kind where the decision is made
   * @param began when the request arrived, on the clock of `performance.now()`
   */
  async authorize(kind: DecisionKind, presented: PresentedCredential, target: Target, began: number): Promise<Outcome> {
    try {
      const deadline = began + this.config.DECISION_WAIT_MS;
      const outcome = await this.outcomeOf(presented, target, deadline);
      if (performance.now() > deadline) {
        throw new Problem('decision-timeout');
      }
      this.count(outcome);
      this.decisions[kind].add(outcome.kind === 'allowed' ? 'allowed' : outcome.problem.code, began);
      return outcome;
    } catch (error) {
      this.decisions[kind].add(error instanceof Problem ? error.code : 'internal-error', began);
      throw error;
    }
  }

  /**
   * Decides again about a caller that was authorized before. Returns the problem if the caller is refused now. Counts
   * only refusals. Rejects with a 503 problem if it cannot decide in time.
   */
  async askAgain({ credential, target }: Pick<Caller, 'credential' | 'target'>): Promise<Problem | undefined> {
    const deadline = performance.now() + this.config.DECISION_WAIT_MS;
    const outcome = await this.outcomeOf({ kind: 'credential', credential }, target, deadline);
    if (outcome.kind === 'allowed') {
      return undefined;
    }
    this.count(outcome);
    return outcome.problem;
  }

  private async outcomeOf(presented: PresentedCredential, target: Target, deadline: number): Promise<Outcome> {
    if (target.kind === 'nowhere') {
      return refused(target.problem);
    }
    const authenticator = this.authenticatorFor(presented, target);
    if (authenticator instanceof Problem) {
      return refused(authenticator);
    }
    const { credential } = presented as Extract<PresentedCredential, { kind: 'credential' }>;
    const found: Authentication = await authenticator.authenticate(credential.token, deadline);
    if (found.kind !== 'alive') {
      return refused(found.problem, found.kind === 'dead' ? found.principal : null);
    }
    const { principal } = found;
    if (target.kind === 'route') {
      return judge(principal, credential, target.endpoint, target.applicationId);
    }
    if (principal.kind !== 'api-key') {
      throw new Error('only keys are presented for described requests');
    }
    return this.judgeRequest(principal, credential, target, deadline);
  }

  private authenticatorFor(presented: PresentedCredential, target: Target): Authenticator | Problem {
    if (presented.kind === 'missing') {
      return new Problem(
        'credential-missing',
        target.kind === 'route'
          ? 'Present a credential in the Authorization header.'
          : 'Present a key: "Authorization: ManagementKey-v1 <key>".',
      );
    }
    const malformed = `The Authorization header must be ${HEADER_FORMS[target.kind]}.`;
    if (presented.kind === 'malformed') {
      return new Problem('malformed', presented.detail ?? malformed);
    }
    const { scheme } = presented.credential;
    const isAccepted = target.kind === 'route' || scheme === KEY_AUTH_SCHEME;
    return (isAccepted && this.authenticators.get(scheme)) || new Problem('malformed', malformed);
  }

  private async judgeRequest(
    key: ApiKeyPrincipal,
    credential: Credential,
    { service, method, path }: RequestTarget,
    deadline: number,
  ): Promise<Outcome> {
    const tree =
      service === MANAGEMENT
        ? this.management
        : (
            this.services.find(key.catalogueRevision) ?? (await this.services.at(key.catalogueRevision, deadline))
          ).treeOf(service);
    if (path.kind === 'ambiguous') {
      return refused(ambiguous(path.reason), key);
    }
    if (!tree) {
      return refused(new Problem('endpoint-unknown', 'The catalogue has no such service.'), key);
    }
    const match = tree.match(method, path);
    switch (match.kind) {
      case 'ambiguous':
        return refused(ambiguous(match.reason), key);
      case 'unknown':
        return refused(
          new Problem('endpoint-unknown', `The service "${service}" has no endpoint with this method and path.`),
          key,
        );
      case 'match': {
        const endpoint = match.value;
        const { applicationParameter } = endpoint;
        const applicationId = applicationParameter === null ? undefined : match.parameters.get(applicationParameter);
        return judge(key, credential, endpoint, applicationId);
      }
      default:
        return match satisfies never;
    }
  }

  private count(outcome: Outcome): void {
    if (outcome.kind === 'refused') {
      if (outcome.key) {
        this.observer.record(outcome.key.apiKeyId, outcome.endpoint, null, outcome.problem.code);
      }
    } else if (outcome.principal.kind === 'api-key') {
      const { principal, endpoint, applicationId } = outcome;
      this.observer.record(principal.apiKeyId, endpoint, applicationId, 'allowed');
    }
  }
}

/** Returns the problem for a decision that refused a principal. */
export function refusalOf(
  endpoint: Pick<Endpoint, 'method' | 'path'>,
  { code, detail }: Extract<ReturnType<typeof decide>, { allowed: false }>,
  applicationId: string | undefined,
): Problem {
  return new Problem(code, detail, {
    endpoint: endpointName(endpoint),
    ...(applicationId !== undefined && { applicationId: parseId(applicationId) ?? applicationId }),
  });
}

function judge(
  principal: Principal,
  credential: Credential,
  endpoint: KnownEndpoint,
  applicationId: string | undefined,
): Outcome {
  const decision = decide(endpoint, principal, applicationId);
  if (decision.allowed) {
    return { kind: 'allowed', principal, credential, endpoint, applicationId: decision.applicationId };
  }
  const key = principal.kind === 'api-key' ? principal : null;
  return refused(refusalOf(endpoint, decision, applicationId), key, endpoint);
}

function refused(problem: Problem, key: ApiKeyPrincipal | null = null, endpoint: KnownEndpoint | null = null): Refused {
  return { kind: 'refused', problem, key, endpoint };
}

function ambiguous(reason: string): Problem {
  return new Problem('path-ambiguous', `The path could be read in more than one way: ${reason}.`);
}
