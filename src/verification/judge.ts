import { Injectable } from '@nestjs/common';
import { type Endpoint, endpointName, MANAGEMENT } from '../access/access.js';
import { decide, type JudgedEndpoint } from '../access/decision.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { EndpointTree } from '../access/endpoint-tree.js';
import type { ApiKeyPrincipal } from '../access/principal.js';
import type { RawPath } from '../access/raw-path.js';
import { credentialProblem } from '../api-keys/api-key-authenticator.js';
import { KeyReader, type ReadKey } from '../api-keys/key-reader.js';
import { UsageRecorder } from '../api-keys/usage-recorder.js';
import { parseId } from '../http/id.pipe.js';
import { Problem } from '../http/problem.js';
import { ServiceCatalogue } from '../services/service-catalogue.js';

/** What is to be done with a key. */
export interface Question {
  service: string;
  method: string;
  /** The path that was requested, read by `readRawPath`. */
  path: RawPath;
}

/** An endpoint of any service, as it is judged. */
export type KnownEndpoint = Endpoint & JudgedEndpoint;

/** Whether a key may do what was asked. */
export type Judgement =
  | { kind: 'allowed'; key: ReadKey; endpoint: KnownEndpoint; applicationId: number | null }
  | { kind: 'refused'; problem: Problem; key: ReadKey | null; endpoint: KnownEndpoint | null };

type Tree = EndpointTree<KnownEndpoint>;

/** Judges presented keys: the one way from a raw request to a decision, for verifications and for forward auth. */
@Injectable()
export class Judge {
  private readonly management: Tree = new EndpointTree();

  constructor(
    catalogue: EndpointCatalogue,
    private readonly services: ServiceCatalogue,
    private readonly keys: KeyReader,
    private readonly usage: UsageRecorder,
  ) {
    for (const endpoint of catalogue.own) {
      // Whatever else a route lets in, here it is keys that are judged.
      this.management.add(endpoint.method, endpoint.path, {
        ...endpoint,
        access: { kind: 'key', session: 'none' },
      });
    }
  }

  /**
   * Whether a presented key may do what is asked, by what the database says now. Reasons are looked for in a fixed order,
   * and the first wins: the key, the path, the endpoint, the grant, the Application.
   *
   * @param deadline milliseconds on the clock of `performance.now()`; past it this rejects with a 503 problem
   */
  async judge(secret: string, question: Question, deadline: number): Promise<Judgement> {
    const reading = await this.keys.read(secret, deadline);
    if (reading.kind !== 'alive') {
      const key = reading.kind === 'dead' ? reading.key : null;
      return this.refuse(credentialProblem(reading), key, null);
    }
    let tree: Tree | undefined = this.management;
    if (question.service !== MANAGEMENT) {
      const { catalogueRevision } = reading;
      const catalogue = this.services.find(catalogueRevision) ?? (await this.services.at(catalogueRevision, deadline));
      tree = catalogue.treeOf(question.service);
    }
    return this.judgeAlive(reading.key, reading.principal, question, tree);
  }

  private judgeAlive(key: ReadKey, principal: ApiKeyPrincipal, question: Question, tree: Tree | undefined): Judgement {
    const { service, method, path } = question;
    if (path.kind === 'ambiguous') {
      return this.refuse(ambiguous(path.reason), key, null);
    }
    if (!tree) {
      return this.refuse(new Problem('endpoint-unknown', 'There is no such service in the catalogue.'), key, null);
    }
    const match = tree.match(method, path);
    switch (match.kind) {
      case 'ambiguous':
        return this.refuse(ambiguous(match.reason), key, null);
      case 'unknown':
        return this.refuse(
          new Problem('endpoint-unknown', `The service "${service}" has no endpoint with this method and path.`),
          key,
          null,
        );
      case 'match': {
        const endpoint = match.value;
        const { applicationParameter } = endpoint;
        const applicationId = applicationParameter === null ? undefined : match.parameters.get(applicationParameter);
        const decision = decide(endpoint, principal, applicationId);
        if (!decision.allowed) {
          const extensions = {
            endpoint: endpointName(endpoint),
            ...(applicationId !== undefined && { applicationId: parseId(applicationId) ?? applicationId }),
          };
          return this.refuse(new Problem(decision.code, decision.detail, extensions), key, endpoint);
        }
        this.usage.record(key.id, endpoint, decision.applicationId, 'allowed');
        return { kind: 'allowed', key, endpoint, applicationId: decision.applicationId };
      }
      default:
        return match satisfies never;
    }
  }

  private refuse(problem: Problem, key: ReadKey | null, endpoint: KnownEndpoint | null): Judgement {
    if (key) {
      this.usage.record(key.id, endpoint, null, problem.code);
    }
    return { kind: 'refused', problem, key, endpoint };
  }
}

function ambiguous(reason: string): Problem {
  return new Problem('path-ambiguous', `The path could be read in more than one way: ${reason}.`);
}
