import type { Socket } from 'node:net';
import { Queue } from '../../util/index.ts';
import {
  ErrorCode,
  FrameSplitter,
  WireError,
  Writer,
  apiByKey,
  apis,
  includes,
  readRequest,
  writeResponse,
  type Api,
  type ApiName,
  type Fields,
  type RequestFrame,
} from '../../wire/kafka/index.ts';
import { AnswerShare, type Connection, type ConnectionInfo, Gate, readShared } from '../connections/index.ts';
import { certificateNames, certificateSubject, type Login } from '../users/index.ts';
import { KafkaError } from './errors.ts';
import { handlers } from './handlers/index.ts';
import { advertisedApiKeys } from './handlers/api-versions.ts';
import { ConnectionMeter } from './quotas/index.ts';
import type { Handler, KafkaSession, RequestContext } from './handler.ts';
import type { Endpoint } from './kafka-host.ts';
import { SaslLogin } from './login.ts';
import { fullRights, guardOf, noRights, type Rights } from './security/index.ts';
import type { SaslStep } from './sasl.ts';
import type { SessionHost } from './session-host.ts';
import type { SessionState } from './session-state.ts';

/** Why a connection ended, for logs. */
export type CloseReason =
  | { readonly kind: 'client' }
  | { readonly kind: 'error'; readonly text: string; readonly cause?: unknown }
  | { readonly kind: 'socket'; readonly cause: Error }
  | { readonly kind: 'slow-reader'; readonly pendingBytes: number }
  | { readonly kind: 'idle' }
  | { readonly kind: 'kicked' }
  | { readonly kind: 'stopping' };

/** A connection as the admin HTTP shows it; its name is the client id. */
export interface KafkaConnectionInfo extends ConnectionInfo {
  readonly requests: number;
  /** Requests without an answer yet, including those that wait for records. */
  readonly underWay: number;
}

/** The requests allowed before a client has logged in. */
const openApis: ReadonlySet<ApiName> = new Set(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate']);
/**
 * A request with at least this many bytes may be a lot of work. Only one is handled at a time, and only while
 * its connection has its turn.
 */
const heavyBytesMin = 16 * 1024;
/** The answers of these APIs may be large: one is handled at a time. */
const readingApis: ReadonlySet<ApiName> = new Set(['Fetch', 'ShareFetch']);

const noCallbacks: readonly (() => void)[] = [];

/** A request until its answer is sent. */
interface Exchange {
  readonly frame: RequestFrame;
  /** Size of the request. */
  readonly bytes: number;
  readonly isReading: boolean;
  readonly isHeavy: boolean;
  /** Undefined until it is started. */
  context: RequestContext | undefined;
  state: 'waiting' | 'running' | 'answered' | 'silent';
  /** Time that the handler ran until its first wait, in milliseconds. */
  workMs: number;
  /** Set with 'answered': a draft of the API's response. */
  response: unknown;
}

/**
 * A session is one connection of a Kafka client. Requests come in as frames, are handled without waiting for
 * each other, and are answered in order.
 *
 * ```
 *   socket ─► frames ─► waiting ─► running ─► answered ─► (those before it are answered too) ─► socket
 * ```
 * With too many pending requests, or too many bytes of them, the socket is not read. If the client does not
 * read its answers, no further request is started.
 */
export class Session implements KafkaSession, Connection {
  readonly id: number;
  readonly host: SessionHost;
  readonly address: string;
  readonly endpoint: Endpoint;
  readonly states: Map<SessionState<unknown>, unknown> = new Map();
  readonly connectedMs: number;
  closed = false;
  /** Undefined before the client has logged in. */
  login: Login | undefined = undefined;
  clientId = '';
  clientSoftware = '';
  clientVersion = '';
  requests = 0;
  inBytes = 0;
  /**
   * When the last bytes were received, and when the socket last sent some: milliseconds of the monotonic
   * clock.
   */
  heardMs: number;
  wroteMs: number;
  /** Deadline of the login; Infinity once the client has logged in, or if it need not. */
  authDueMs: number;

  readonly #socket: Socket;
  readonly #splitter: FrameSplitter;
  /** Set while the socket is read directly into a frame's own memory. */
  #room: Buffer | undefined = undefined;
  readonly #writer = new Writer();
  /** All requests with no answer sent yet, in order. */
  readonly #exchanges = new Queue<Exchange>();
  readonly #waiting = new Queue<Exchange>();
  #bytesUnderWay = 0;
  readonly #answerShare: AnswerShare;
  /** Bytes that the socket had sent by the last check. */
  #takenBytes = 0;
  #reading = 0;
  #heavy = 0;
  /** Handlers that wait for the next turn. */
  #resting: (() => void)[] = [];
  #flushing = false;
  /** The reasons why the socket is not read. For some of them, no further request is started either. */
  readonly #gate: Gate;
  readonly #meter: ConnectionMeter;
  /** The principal that the client's certificate names, if it does not name a user. */
  #principal: string | undefined = undefined;
  readonly #sasl: SaslLogin;
  #rights: Rights = noRights;
  /** The authorizer's version that the rights are from; -1: the rights have to be computed again. */
  #rightsVersion = -1;
  /**
   * From then on the client has to log in again before any other request (Kafka: connections.max.reauth.ms).
   */
  #loginEndMs = Infinity;
  readonly #onClose = new Set<() => void>();

  /** `accepted` must not have been read from. */
  constructor(host: SessionHost, accepted: Socket, id: number) {
    const nowMs = host.kafka.clock.monotonic();
    this.host = host;
    this.id = id;
    this.#gate = new Gate(host.turns, () => this.#goOn());
    this.#meter = new ConnectionMeter(host.kafka.quotaMeters, host.kafka.clock, (isMuted) => {
      this.#gate.set('quota', isMuted);
      if (!isMuted) this.#advance();
    });
    this.#answerShare = new AnswerShare(host.answerRoom, host.kafka.clock, {
      look: () => this.#countAnswers(),
      end: () => this.cutSlow(),
    });
    this.connectedMs = host.kafka.clock.now();
    this.heardMs = this.wroteMs = nowMs;
    this.address = withoutMapping(accepted.remoteAddress);
    this.endpoint = host.advertised ?? {
      host: withoutMapping(accepted.localAddress),
      port: accepted.localPort ?? 0,
    };
    const { limits, clock, random } = host.kafka;
    this.#sasl = new SaslLogin({
      users: host.users,
      random,
      clock,
      logins: host.logins,
      address: this.address,
      delayed: (waitMs) => (this.authDueMs += waitMs),
      isClosed: () => this.closed,
    });
    this.#proveByCertificate(accepted);
    const isKnown = this.login !== undefined || this.#principal !== undefined;
    this.authDueMs = host.users.requires('kafka') && !isKnown ? nowMs + limits.authTimeoutMs : Infinity;
    this.#splitter = new FrameSplitter(
      this.authorized ? limits.requestBytesMax : limits.requestBytesMaxBeforeAuth,
      host.kafka.broker.blocks,
      (apiKey, bytes) => this.#checkSize(apiKey, bytes),
    );
    const socket = readShared(
      accepted,
      () => this.#nextRead(),
      (chunk) => this.#receive(chunk),
    );
    this.#socket = socket;
    this.#gate.of(socket);
    socket.on('drain', () => {
      this.#countAnswers();
      this.#advance();
    });
    socket.on('error', (cause) => this.close({ kind: 'socket', cause }));
    socket.on('end', () => this.close({ kind: 'client' }));
    socket.on('close', () => {
      this.close({ kind: 'client' });
      this.#answerShare.drop();
      host.gone(this);
    });
  }

  info(): KafkaConnectionInfo {
    return {
      id: this.id,
      protocol: 'kafka',
      address: this.address,
      name: this.clientId,
      user: this.user ?? null,
      software: this.clientSoftware,
      version: this.clientVersion,
      connectedMs: this.connectedMs,
      requests: this.requests,
      underWay: this.underWay,
      inBytes: this.inBytes,
      outBytes: this.outBytes,
      pendingBytes: this.pendingBytes,
    };
  }

  kick(): void {
    this.close({ kind: 'kicked' });
  }

  /**
   * The name of the user that has logged in, or of the principal in the certificate; undefined for neither.
   */
  get user(): string | undefined {
    return this.login?.user?.name ?? this.#principal;
  }

  /** The client's rights by the current ACLs and permissions. */
  get rights(): Rights {
    const { authorizer } = this.host;
    if (this.#rightsVersion !== authorizer.version) {
      this.#rightsVersion = authorizer.version;
      this.#rights =
        this.login === undefined && this.#principal !== undefined
          ? authorizer.rightsOfPrincipal(this.#principal, this.address)
          : authorizer.rightsOf(this.login, this.address);
    }
    return this.#rights;
  }

  /**
   * To be called when users or permissions have changed. The connection continues with the new ones, or ends
   * if its user is gone.
   */
  renewLogin(): void {
    this.#rightsVersion = -1;
    const { users } = this.host;
    if (this.login === undefined) {
      const isLetIn = this.authorized && this.#principal === undefined;
      if (isLetIn && users.requires('kafka')) this.fail('clients must log in from now on');
      return;
    }
    const login = users.renew(this.login);
    if (login === undefined) return this.fail('its user or credential is gone');
    this.login = login;
  }

  /** Whether the client may send requests other than those to log in. */
  get authorized(): boolean {
    return this.authDueMs === Infinity;
  }

  get mayLogIn(): boolean {
    return !this.authorized || this.#loginEndMs < Infinity || this.#isByCertificate;
  }

  /** Bytes that wait for the client to read them. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  /** Notes whether the client has read since the last check. */
  noteProgress(nowMs: number): void {
    const { outBytes } = this;
    const taken = outBytes - this.pendingBytes;
    if (taken !== this.#takenBytes || this.pendingBytes === 0) this.wroteMs = nowMs;
    this.#takenBytes = taken;
    this.#countAnswers();
  }

  #countAnswers(): void {
    const { pendingBytes } = this;
    this.#answerShare.waiting(pendingBytes, this.outBytes - pendingBytes);
  }

  takeRoom(bytes: number): number | Promise<number> {
    const { answerRoom } = this.host;
    const { fetchBytesMax } = this.host.kafka.limits;
    const take = (): number => (this.closed ? 0 : this.#answerShare.take(bytes, fetchBytesMax));
    if (answerRoom.hasRoomFor(bytes) || this.closed) return take();
    return new Promise((resolve) => {
      const go = (): void => {
        unhook();
        forget();
        resolve(take());
      };
      const unhook = answerRoom.whenRoom(go);
      const forget = this.onClose(go);
    });
  }

  get outBytes(): number {
    return this.#socket.bytesWritten;
  }

  /** Number of requests without an answer. */
  get underWay(): number {
    return this.#exchanges.size;
  }

  onClose(callback: () => void): () => void {
    if (this.closed) callback();
    else this.#onClose.add(callback);
    return () => this.#onClose.delete(callback);
  }

  // ---- requests

  /** The buffer for the next read: a large frame is read directly into its own memory. */
  #nextRead(): Buffer {
    this.#room = this.#splitter.room();
    return this.#room ?? this.host.readBuffer;
  }

  #receive(chunk: Buffer): void {
    const room = this.#room;
    if (this.closed) return;
    this.heardMs = this.host.kafka.clock.monotonic();
    this.inBytes += chunk.length;
    try {
      if (room === undefined) this.#splitter.push(chunk, true);
      else this.#splitter.filled(chunk.length);
      for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) {
        this.#accept(frame);
        if (this.closed) return;
      }
    } catch (error) {
      return this.fail(error instanceof WireError ? error.message : 'a request that cannot be read', error);
    }
    // After a full read the system would deliver more at once, megabytes of it before any other connection's
    // turn.
    if (chunk.length === (room ?? this.host.readBuffer).length) this.#gate.hasTime();
    this.#advance();
  }

  #accept(bytes: Buffer): void {
    if (this.#sasl.takesBareTokens) return this.#acceptBareToken(bytes);
    this.requests++;
    const frame = readRequest(bytes, this.host.kafka.limits.requestElementsMax);
    const { apiKey, apiVersion, api } = frame;
    if (frame.clientId !== null && frame.clientId !== this.clientId) this.clientId = frame.clientId;
    if (apiKey === apis.ApiVersions.key && !api) return this.#answerUnknownApiVersions(frame);
    if (!api || handlers[api.name] === undefined || !includes(api.versions, apiVersion))
      return this.fail(`version ${apiVersion} of API ${apiKey}, which was not offered`);
    if (!openApis.has(api.name)) {
      if (!this.authorized) return this.fail(`${api.name} before it has logged in`);
      if (this.heardMs >= this.#loginEndMs) return this.fail(`${api.name} after its login was over`);
    }
    const exchange: Exchange = {
      frame,
      bytes: bytes.length,
      isReading: readingApis.has(api.name),
      isHeavy: bytes.length >= heavyBytesMin && api.key !== apis.Produce.key,
      context: undefined,
      state: 'waiting',
      workMs: 0,
      response: undefined,
    };
    this.#exchanges.push(exchange);
    this.#waiting.push(exchange);
    this.#bytesUnderWay += exchange.bytes;
  }

  /** Checks the size of a frame as soon as its start has arrived. Throws a WireError. */
  #checkSize(apiKey: number, bytes: number): void {
    const { commandBytesMax } = this.host.kafka.limits;
    if (bytes <= commandBytesMax || apiKey === apis.Produce.key || this.#sasl.takesBareTokens) return;
    const name = apiByKey(apiKey)?.name ?? `API ${apiKey}`;
    throw new WireError(
      'frame-size',
      `A request of ${bytes} bytes for ${name} was announced; ${commandBytesMax} are allowed for all but Produce.`,
    );
  }

  /** "UNSUPPORTED_VERSION with the body of version 0" (KIP-511), whatever version the client asked for. */
  #answerUnknownApiVersions(frame: RequestFrame): void {
    const exchange: Exchange = {
      frame: { ...frame, apiVersion: 0 },
      bytes: 0,
      isReading: false,
      isHeavy: false,
      context: undefined,
      state: 'answered',
      workMs: 0,
      response: { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: advertisedApiKeys(this.host.kafka) },
    };
    this.#exchanges.push(exchange);
    this.#flushSoon();
  }

  /** Starts waiting requests, as far as they may start now, and decides whether the socket is read. */
  #advance(): void {
    while (!this.closed && this.#waiting.size > 0 && this.#mayStart(this.#waiting.peek()!)) {
      // The first piece of a turn counts, too: other connections may have used up the shared time.
      if (this.#waiting.peek()!.isHeavy && !this.#gate.hasTime()) break;
      this.#start(this.#waiting.shift()!);
      if (this.host.kafka.broker.congested) this.#waitUntilUncongested();
      if (this.#waiting.size > 0) this.#gate.hasTime();
    }
    this.#lookAtRoom();
  }

  #mayStart(exchange: Exchange): boolean {
    if (this.#gate.has('held') || this.#gate.has('congested') || this.#gate.has('turn')) return false;
    if (this.#gate.has('quota')) return false;
    if (exchange.isHeavy && this.#heavy > 0) return false;
    const { pendingBytes } = this;
    const { responseBytesMax, fetchBytesMax } = this.host.kafka.limits;
    if (pendingBytes > responseBytesMax || (pendingBytes > 0 && this.host.answerRoom.isFull)) return false;
    return !exchange.isReading || (this.#reading === 0 && pendingBytes <= fetchBytesMax);
  }

  #waitUntilUncongested(): void {
    this.#gate.shut('congested');
    this.host.kafka.broker.onUncongested(() => {
      this.#gate.open('congested');
      this.#advance();
    });
  }

  /** Reads requests only while there is room for them and for their answers. */
  #lookAtRoom(): void {
    const { requestsMax, requestBytesUnderWayMax, responseBytesMax } = this.host.kafka.limits;
    const isFull =
      this.#exchanges.size >= requestsMax ||
      this.#bytesUnderWay >= requestBytesUnderWayMax ||
      this.pendingBytes > responseBytesMax;
    this.#gate.set('room', isFull);
  }

  #start(exchange: Exchange): void {
    const { frame } = exchange;
    const { name } = frame.api!;
    exchange.state = 'running';
    if (exchange.isReading) this.#reading++;
    if (exchange.isHeavy) this.#heavy++;
    const startedMs = this.host.kafka.clock.monotonic();
    try {
      const request = apis[name].request.decode(frame.body, frame.apiVersion);
      const { rights } = this;
      const context: RequestContext = {
        host: this.host.kafka,
        session: this,
        rights,
        clientId: frame.clientId ?? '',
        version: frame.apiVersion,
      };
      exchange.context = context;
      const guard = rights === fullRights ? undefined : guardOf(name);
      const response =
        guard?.(request, rights, frame.apiVersion) ??
        (handlers[name] as unknown as Handler<ApiName>)(request, context);
      exchange.workMs = this.host.kafka.clock.monotonic() - startedMs;
      if (response instanceof Promise) {
        response.then(
          (draft) => this.#answer(exchange, draft),
          (error: unknown) => this.#failed(name, error),
        );
      } else this.#answer(exchange, response);
    } catch (error) {
      this.#failed(name, error);
    }
  }

  #failed(name: ApiName, error: unknown): void {
    if (this.closed) return;
    this.fail(error instanceof WireError ? `${name}: ${error.message}` : `${name} failed`, error);
  }

  #answer(exchange: Exchange, response: unknown): void {
    if (exchange.isReading) this.#reading--;
    if (exchange.isHeavy) this.#heavy--;
    if (this.closed) return;
    exchange.response = this.#meter.isOff ? response : this.#count(exchange, response);
    exchange.state = response === undefined ? 'silent' : 'answered';
    this.#flushSoon();
  }

  /** The answer as it is sent: a client above its quota is told to slow down. */
  #count({ frame, bytes: requestBytes, workMs, context }: Exchange, response: unknown): unknown {
    const answered = { api: frame.api!.name, requestBytes, response, workMs };
    return this.#meter.count(this, answered, context?.throttleMs ?? 0);
  }

  /** Flushes once for all answers of the same moment, such as the produce requests of a commit. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    let sent: (() => void)[] | undefined;
    for (let head = this.#exchanges.peek(); head && !this.closed; head = this.#exchanges.peek()) {
      if (head.state === 'waiting' || head.state === 'running') break;
      this.#exchanges.shift();
      this.#bytesUnderWay -= head.bytes;
      if (head.isReading) this.#answerShare.made();
      if (head.state !== 'answered') continue;
      this.#write(head);
      if (head.context?.sent) (sent ??= []).push(head.context.sent);
    }
    if (this.closed) return;
    this.#send(this.#writer.take(), sent);
    this.#countAnswers();
    if (this.#sasl.hasFailed) this.fail('a login that failed');
    else this.#advance();
  }

  #write({ frame, response }: Exchange): void {
    const api = (frame.api === undefined ? apis.ApiVersions : apis[frame.api.name]) as unknown as Api<
      Fields,
      Fields
    >;
    try {
      writeResponse(this.#writer, api, frame.apiVersion, frame.correlationId, response as never);
    } catch (error) {
      this.fail(`the answer to ${api.name} cannot be written`, error);
    }
  }

  /** `sent` is called when the system has taken all parts; until then their memory must not change. */
  #send(parts: readonly Uint8Array[], sent: readonly (() => void)[] = noCallbacks): void {
    if (parts.length === 0) return;
    const socket = this.#socket;
    socket.cork();
    for (const part of parts.slice(0, -1)) socket.write(part);
    socket.write(parts[parts.length - 1]!, (error) => {
      if (!error) for (const callback of sent) callback();
    });
    socket.uncork();
  }

  // ---- turns

  rest(): Promise<void> | undefined {
    if (this.closed || this.#gate.hasTime()) return undefined;
    return new Promise((resolve) => this.#resting.push(resolve));
  }

  /** Called when the next turn has begun. */
  #goOn(): void {
    for (const resolve of this.#resting.splice(0)) resolve();
    this.#advance();
  }

  // ---- logging in

  /** Authenticates the client by its certificate. The client may still log in as another user. */
  #proveByCertificate(accepted: Socket): void {
    const { users, principals } = this.host;
    const subject = users.requires('kafka') ? certificateSubject(accepted) : undefined;
    if (subject === undefined) return;
    const login = users.logIn('kafka', { kind: 'certificate', names: certificateNames(accepted) });
    if (login !== undefined && !(login instanceof Promise)) this.login = login;
    else this.#principal = principals.nameOf(subject);
  }

  get #isByCertificate(): boolean {
    return this.login === undefined ? this.#principal !== undefined : this.login.by === 'certificate';
  }

  get loginMsMax(): number {
    return this.host.kafka.settings['connections.max.reauth.ms'];
  }

  beginSasl(mechanism: string, isBare: boolean): boolean {
    return this.#sasl.begin(mechanism, isBare);
  }

  saslToken(token: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const step = this.#sasl.step(token);
    return step instanceof Promise ? step.then((later) => this.#tookStep(later)) : this.#tookStep(step);
  }

  #tookStep({ bytes, login }: SaslStep): Uint8Array {
    if (login !== undefined) {
      if (this.login !== undefined && !this.#isByCertificate && login.user?.name !== this.user) {
        this.#sasl.hasFailed = true;
        const problem = 'A connection that logs in again stays with its user.';
        throw new KafkaError(ErrorCode.SASL_AUTHENTICATION_FAILED, problem);
      }
      this.login = login;
      this.#rightsVersion = -1;
      this.authDueMs = Infinity;
      const { loginMsMax } = this;
      if (loginMsMax > 0) this.#loginEndMs = this.host.kafka.clock.monotonic() + loginMsMax;
      this.#splitter.frameBytesMax = this.host.kafka.limits.requestBytesMax;
    }
    return bytes;
  }

  #acceptBareToken(token: Buffer): void {
    const answer = this.saslToken(token);
    if (!(answer instanceof Promise)) return this.#sendBareToken(answer);
    answer.then(
      (later) => this.#sendBareToken(later),
      (error: unknown) => this.fail('a login that failed', error),
    );
  }

  #sendBareToken(answer: Uint8Array): void {
    if (this.closed) return;
    const frame = Buffer.allocUnsafe(4 + answer.length);
    frame.writeInt32BE(answer.length, 0);
    frame.set(answer, 4);
    this.#send([frame]);
  }

  // ---- the end

  /** Reads and starts nothing more; pending requests continue. */
  hold(): void {
    this.#gate.shut('held');
  }

  /** Ends the connection because of an error of the client, or an internal error. */
  fail(text: string, cause?: unknown): void {
    this.close({ kind: 'error', text, ...(cause === undefined ? {} : { cause }) });
  }

  /** Sends the answers that are written already, unless the client reads too slowly. */
  close(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.#gate.leave(); // further input is discarded, but read, so that its end is seen
    this.host.closing(this, reason);
    for (const callback of this.#onClose) callback();
    this.#onClose.clear();
    for (const resolve of this.#resting.splice(0)) resolve();
    this.#meter.close();
    this.#waiting.clear();
    this.#exchanges.clear();
    this.#answerShare.made();
    if (reason.kind === 'slow-reader' || reason.kind === 'socket') this.#socket.destroy();
    else this.#socket.end(() => this.#socket.destroy());
  }

  /** Ends the connection because it reads too slowly. */
  cutSlow(): void {
    this.close({ kind: 'slow-reader', pendingBytes: this.pendingBytes });
    this.cut();
  }

  /** Destroys the socket, even if answers are still to be sent. */
  cut(): void {
    this.#socket.destroy();
  }
}

/** An IPv4 address that an IPv6 socket reports in mapped form, as IPv4. */
function withoutMapping(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '') ?? '';
}
