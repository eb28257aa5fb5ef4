import type { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { Broker } from '../../broker/index.ts';
import {
  AwsError,
  jsonRefusal,
  jsonReply,
  readJson,
  readTarget,
  sqsOperations,
  type Operation,
  type SqsAction,
  type Structure,
  type Members,
  type WireReply,
} from '../../wire/aws/index.ts';
import { Hall, type TlsGuard } from '../connections/index.ts';
import type { Frontend, ListenOptions } from '../frontend.ts';
import { checkOrigin, HttpFrontend, type HttpReply, type HttpRequest } from '../http/index.ts';
import { Users } from '../users/index.ts';
import { callerOf, type Caller } from './caller.ts';
import { refusalOf } from './errors.ts';
import { doorLimits } from './limits.ts';
import { handlers } from './operations/index.ts';
import { Sqs } from './sqs.ts';

export interface SqsOptions {
  readonly broker: Broker;
  readonly hall?: Hall;
  readonly users?: Users;
  /** Messages of a queue that may be in flight, for queues that are created. Default: 120,000. */
  readonly inFlightMax?: number;
  readonly tls?: TlsGuard | undefined;
  /** Called with errors that nobody has foreseen. */
  readonly report?: (error: unknown, request: string) => void;
}

/** The frontend of SQS: its requests are calls of operations in AWS JSON. */
export class SqsFrontend implements Frontend {
  readonly name = 'sqs';
  readonly #http: HttpFrontend;
  readonly #sqs: Sqs;
  readonly #users: Users;
  readonly #tls: TlsGuard | undefined;
  readonly #report: (error: unknown, request: string) => void;
  #host = '127.0.0.1';

  constructor({ broker, users = new Users(), inFlightMax = 120_000, tls, ...rest }: SqsOptions) {
    const { hall = new Hall(broker.clock), report = () => {} } = rest;
    this.#sqs = new Sqs(broker, inFlightMax);
    this.#users = users;
    this.#tls = tls;
    this.#report = report;
    this.#http = new HttpFrontend({
      name: this.name,
      authenticates: this.authenticates,
      hall,
      handle: (request) => this.#answer(request),
      refusal: (error, request) => this.#refusal(error, request),
      limits: doorLimits,
      tls,
    });
  }

  get authenticates(): boolean {
    return this.#users.requires('sqs');
  }

  get connections(): number {
    return this.#http.connections;
  }

  listening({ host }: ListenOptions): void {
    this.#host = host;
  }

  accept(socket: Socket): void {
    this.#http.accept(socket);
  }

  async close(options?: { readonly graceMs?: number }): Promise<void> {
    await this.#http.close(options);
    this.#sqs.close();
  }

  async #answer(request: HttpRequest): Promise<HttpReply> {
    const scheme = this.#tls === undefined ? 'http' : 'https';
    // A page that reaches this server under a foreign name (DNS rebinding) has no credentials.
    checkOrigin(request.headers, { boundHost: this.#host, takesAnyName: this.authenticates, scheme });
    // Signatures are not verified yet, so that nobody can prove to be one of the users.
    if (this.authenticates) throw new AwsError('InvalidClientTokenId');
    if (request.method !== 'POST') throw new AwsError('InvalidAction');
    const target = request.headers['x-amz-target'];
    const action = readTarget(typeof target === 'string' ? target : undefined);
    return this.#call(action, callerOf(request, scheme), await request.bytes());
  }

  async #call(action: SqsAction, caller: Caller, body: Uint8Array): Promise<WireReply> {
    const operation: Operation = sqsOperations[action];
    const output = await handlerOf(action)(this.#sqs, caller, readJson(operation, body));
    return jsonReply(operation, output, randomUUID());
  }

  #refusal(error: unknown, request: HttpRequest | undefined): HttpReply {
    let refusal = refusalOf(error);
    if (!refusal) {
      this.#report(error, request === undefined ? '' : `${request.method} ${request.target}`);
      refusal = new AwsError('InternalFailure', 'The request failed; the log has the reason.');
    }
    const isQueryMode = request?.headers['x-amzn-query-mode'] === 'true';
    return jsonRefusal(refusal, randomUUID(), isQueryMode);
  }
}

/** A handler for input and output whose types its operation decides. */
type AnyHandler = (
  sqs: Sqs,
  caller: Caller,
  input: Structure<Members>,
) => Structure<Members> | Promise<Structure<Members>>;

/** The table of operations says which input a handler takes. */
function handlerOf(action: SqsAction): AnyHandler {
  return handlers[action] as AnyHandler;
}
