import type { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { Broker } from '../../broker/index.ts';
import {
  AwsError,
  type Members,
  type Operation,
  type SnsAction,
  type SqsAction,
  type Structure,
} from '../../wire/aws/index.ts';
import { Hall, type TlsGuard } from '../connections/index.ts';
import type { Frontend, ListenOptions } from '../frontend.ts';
import { checkOrigin, HttpFrontend, type HttpReply, type HttpRequest } from '../http/index.ts';
import { answer as answerSns, Sns, type SnsLimits, type UndeliveredReport } from '../sns/index.ts';
import { Users } from '../users/index.ts';
import { authorize } from './authorizer.ts';
import { callerOf, type Caller } from './caller.ts';
import { checkMethod, dialectOf, dialectOfNone } from './dialect.ts';
import { refusalOf } from './errors.ts';
import { doorLimits } from './limits.ts';
import { Logins } from './logins.ts';
import { handlers } from './operations/index.ts';
import type { QueueWaitOptions } from './queue-waits.ts';
import { Sqs } from './sqs.ts';

export interface SqsOptions {
  readonly broker: Broker;
  readonly hall?: Hall;
  readonly users?: Users;
  /** Messages of a queue that may be in flight, for queues that are created. Default: 120,000. */
  readonly inFlightMax?: number;
  /** Waits after purges and deletions. Default: none. */
  readonly waits?: QueueWaitOptions;
  /** Limits of SNS other than its own. */
  readonly snsLimits?: Partial<SnsLimits>;
  readonly tls?: TlsGuard | undefined;
  /** Called with errors that nobody has foreseen. */
  readonly report?: (error: unknown, request: string) => void;
  /** Called when a subscription to a topic of SNS cannot deliver its messages. */
  readonly reportUndelivered?: UndeliveredReport;
}

/** The frontend of SQS and SNS: its requests are calls of operations, in AWS JSON or Query. */
export class SqsFrontend implements Frontend {
  readonly name = 'sqs';
  readonly #http: HttpFrontend;
  readonly #sqs: Sqs;
  readonly #sns: Sns;
  readonly #logins: Logins;
  readonly #tls: TlsGuard | undefined;
  readonly #report: (error: unknown, request: string) => void;
  #host = '127.0.0.1';

  constructor({ broker, users = new Users(), inFlightMax = 120_000, tls, ...rest }: SqsOptions) {
    const { hall = new Hall(broker.clock), report = () => {}, reportUndelivered = () => {} } = rest;
    this.#sqs = new Sqs(broker, inFlightMax, rest.waits);
    this.#sns = new Sns(this.#sqs, reportUndelivered, rest.snsLimits);
    this.#logins = new Logins({ users, hall });
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
    return this.#logins.areRequired;
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
    const { host = '', origin } = request.headers;
    // A page that reaches this server under a foreign name (DNS rebinding) has no credentials. Names below
    // `localhost`, as in `sqs.eu-west-1.localhost`, are always of this machine.
    checkOrigin(
      { host: host.replace(/^[a-z0-9.-]+\.localhost(?=:|$)/, 'localhost'), origin },
      { boundHost: this.#host, takesAnyName: this.authenticates, scheme },
    );
    checkMethod(request);
    const claim = this.#logins.checkHead(request);
    const body = request.method === 'GET' ? noBody : await request.bytes();
    const login = await this.#logins.logIn(request, body, claim);
    request.user = login.user?.name ?? null;
    const dialect = dialectOf(request);
    const { operation, input } = dialect.read(request, body);
    const output = await this.#call(operation, callerOf(request, scheme, login), input);
    return dialect.reply(operation, output, randomUUID());
  }

  async #call(
    { service, name }: Operation,
    caller: Caller,
    input: Structure<Members>,
  ): Promise<Structure<Members>> {
    if (service === 'sns') return answerSns(this.#sns, caller, name as SnsAction, input);
    const action = name as SqsAction;
    authorize(this.#sqs, caller, action, input);
    return (handlers[action] as AnyHandler)(this.#sqs, caller, input);
  }

  #refusal(error: unknown, request: HttpRequest | undefined): HttpReply {
    let refusal = refusalOf(error);
    if (!refusal) {
      this.#report(error, request === undefined ? '' : `${request.method} ${request.target}`);
      refusal = new AwsError('InternalFailure', 'The request failed; the log has the reason.');
    }
    const dialect = request === undefined ? dialectOfNone : dialectOf(request);
    return dialect.refusal(refusal, randomUUID(), request);
  }
}

const noBody = new Uint8Array();

/** A handler whose operation decides the types of input and output. */
type AnyHandler = (
  sqs: Sqs,
  caller: Caller,
  input: Structure<Members>,
) => Structure<Members> | Promise<Structure<Members>>;
