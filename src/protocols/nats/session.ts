import type { Socket } from 'node:net';
import { LiveMessage, type LivePublisher, type Route } from '../../broker/index.ts';
import type { Timer } from '../../util/index.ts';
import {
  FrameWriter,
  Parser,
  type ClientVerb,
  type ConnectOptions,
  type ServerInfo,
} from '../../wire/nats/index.ts';
import { ClosingError, closingText, ErrorText } from './errors.ts';
import { handlers } from './handlers.ts';
import { logIn, type LoginClient } from './login.ts';
import { certificateNames, fullAccess, type Access, type Login } from '../users/index.ts';
import type { NatsSession } from './jetstream-door.ts';
import {
  AnswerShare,
  Gate,
  readShared,
  turnMs,
  type Connection,
  type ConnectionInfo,
  Output,
} from '../connections/index.ts';
import { globalAccount, infoFor, withNonce } from './info.ts';
import { Restrictions } from './restrictions.ts';
import type { SessionHost } from './session-host.ts';
import { Subscription } from './subscription.ts';

/** The reason for the end of a connection, for logs. */
export type CloseReason =
  | { readonly kind: 'client' }
  | { readonly kind: 'error'; readonly text: ErrorText; readonly cause?: unknown }
  | { readonly kind: 'socket'; readonly cause: Error }
  | { readonly kind: 'slow-consumer'; readonly pendingBytes: number }
  | { readonly kind: 'kicked' }
  | { readonly kind: 'stopping' };

/** Options for the beginning of a session. */
export interface Greeting {
  /** Whether to send INFO; false if the client got it before TLS. */
  readonly greets?: boolean;
  /** The nonce in INFO. */
  readonly nonce?: string | undefined;
}

/** A connection as the admin HTTP shows it. */
export interface NatsConnectionInfo extends ConnectionInfo {
  readonly subscriptions: number;
  readonly inMessages: number;
  readonly outMessages: number;
}

/** The time that a client has for reading -ERR before its connection is cut. */
const lingerMs = 1_000;

/** Input is parsed in pieces of this size; the turn's time is checked between two of them. */
const pieceBytes = 64 * 1024;
/** The size of a piece of input that takes more work than usual. */
const heavyPieceBytes = 8 * 1024;

/** The number of subjects looked up or subscribed to between two checks of the turn's time. */
const lookUpsPerLook = 16;

/** Ending a subscription takes some 10 microseconds, and a client may have tens of thousands. */
const unsubscribedAtOnce = 500;

const noBytes = Buffer.alloc(0);
const ok = Buffer.from('+OK\r\n', 'latin1');
const pong = Buffer.from('PONG\r\n', 'latin1');
const ping = Buffer.from('PING\r\n', 'latin1');

/**
 * A session is one connection of a NATS client: its options from CONNECT, its subscriptions, its parser and
 * its output.
 *
 * The verbs are in handlers.ts.
 */
export class Session implements LivePublisher, NatsSession, Connection {
  readonly id: number;
  readonly host: SessionHost;
  readonly output: Output;
  readonly subscriptions: Map<string, Subscription> = new Map();
  readonly connectedMs: number;
  /** Filled again for every publish. */
  readonly message: LiveMessage = new LiveMessage();
  /** The route of the last publish; usually that of the next one, too. */
  route: Route | undefined = undefined;

  // Options of CONNECT, with the defaults of a client that has not sent it.
  verbose = true;
  pedantic = true;
  echo = true;
  headers = false;
  noResponders = false;
  connected = false;
  /** Whether the first PING after CONNECT was answered. */
  greeted = false;
  /** Whether the client understands INFO at any time. */
  takesInfo = false;
  clientName = '';
  clientLanguage = '';
  clientVersion = '';
  /** The restrictions of the client; undefined: it may do everything. */
  restrictions: Restrictions | undefined = undefined;
  /** Undefined before the login. */
  login: Login | undefined = undefined;

  closed = false;
  inMessages = 0;
  inBytes = 0;
  /** Whether there was input since the last check of the keep-alive. */
  heard = true;
  pingsOut = 0;
  pingDueMs: number;
  /** The deadline of the login; Infinity once the client has logged in. */
  authDueMs: number;

  readonly #socket: Socket;
  readonly #parser: Parser<ClientVerb, Session>;
  readonly #remoteAddress: string;
  /** The accepted socket: with TLS it has the client's certificate. */
  readonly #accepted: Socket;
  /** The nonce that the client signs to prove its nkey. */
  readonly #nonce: string | undefined;
  /** Holds the socket back. Reason `login`: CONNECT waits until its password may be checked. */
  readonly #gate: Gate;
  /** Input that was read, but left for the next turn or for after the login. */
  #rest: Buffer = noBytes;
  /** The input takes more work than usual: it is parsed in small pieces until it pauses. */
  #isHeavy = false;
  /** The room for a large message that the next read goes into; undefined: it goes into the shared buffer. */
  #room: Buffer | undefined = undefined;
  /** A copy of a message that several outputs send from, and the position of the message in its chunk. */
  #shared: Buffer | undefined = undefined;
  #sharedAt = -1;
  #lookUps = 0;
  #linger: Timer | undefined = undefined;

  constructor(host: SessionHost, accepted: Socket, id: number, { greets = true, nonce }: Greeting = {}) {
    const nowMs = host.clock.monotonic();
    this.host = host;
    this.id = id;
    this.#gate = new Gate(host.turns, () => this.#receiveRest());
    this.connectedMs = host.clock.now();
    this.pingDueMs = nowMs + host.limits.pingIntervalMs;
    this.authDueMs = host.users.requires('nats') ? nowMs + host.limits.authTimeoutMs : Infinity;
    this.#remoteAddress = accepted.remoteAddress ?? '';
    this.#nonce = nonce;
    this.#accepted = accepted;
    this.#parser = new Parser<ClientVerb, Session>(handlers, this, host.limits, host.flusher.large);
    const socket = readShared(
      accepted,
      () => this.#nextRead(),
      (chunk) => this.#receive(chunk),
    );
    this.#socket = socket;
    this.#gate.of(socket);
    const cut = (): void => this.#cut();
    const share = new AnswerShare(host.room, host.clock, { end: cut });
    this.output = new Output(socket, host.flusher, host.limits, share, cut);
    socket.on('error', (cause) => this.close({ kind: 'socket', cause }));
    socket.on('end', () => this.close({ kind: 'client' }));
    socket.on('close', () => {
      this.close({ kind: 'client' });
      this.#linger?.cancel();
      host.gone(this);
    });
    if (greets) this.sendInfo();
  }

  get remoteAddress(): string {
    return this.#remoteAddress;
  }

  info(): NatsConnectionInfo {
    return {
      id: this.id,
      protocol: 'nats',
      address: this.#remoteAddress,
      name: this.clientName,
      user: this.user === '' ? null : this.user,
      software: this.clientLanguage,
      version: this.clientVersion,
      connectedMs: this.connectedMs,
      subscriptions: this.subscriptions.size,
      inMessages: this.inMessages,
      inBytes: this.inBytes,
      outMessages: this.output.messages,
      outBytes: this.output.sentBytes,
      pendingBytes: this.output.pendingBytes,
    };
  }

  kick(): void {
    this.close({ kind: 'kicked' });
  }

  /** Whether the client may send verbs other than CONNECT. */
  get authorized(): boolean {
    return this.authDueMs === Infinity;
  }

  /** Whether the socket is paused. A client whose socket is paused is not sent PING. */
  get isHeld(): boolean {
    return this.#gate.isShut;
  }

  /** Sends INFO; `leaving` tells the client to go elsewhere. */
  sendInfo(leaving = false): void {
    this.#writeInfo(leaving ? { ldm: true } : {});
  }

  /**
   * Sends the INFO that answers CONNECT: after the first PONG, and only to clients that take INFO at any
   * time.
   */
  sendConnectInfo(): void {
    if (this.greeted || !this.connected) return;
    this.greeted = true;
    if (this.takesInfo) this.#writeInfo({ connect_info: true, remote_account: globalAccount });
  }

  #writeInfo(further: Partial<ServerInfo>): void {
    this.output.append(
      infoFor(this.host.info, this.id, this.#remoteAddress, { ...withNonce(this.#nonce), ...further }),
    );
  }

  sendOk(): void {
    this.output.append(ok);
  }

  sendPong(): void {
    this.output.append(pong);
  }

  sendPing(): void {
    this.pingsOut++;
    this.output.append(ping);
  }

  /** Sends -ERR and leaves the connection open. */
  complain(text: ErrorText): void {
    this.output.append(new FrameWriter().error(text).take());
  }

  /** The name of the user that the client has logged in as; '' without a login. */
  get user(): string {
    return this.login?.user?.name ?? '';
  }

  /** Whether the password is being checked, or waits for the check. */
  get awaitsLogin(): boolean {
    return this.#gate.has('login');
  }

  /** Handles CONNECT. If the password cannot be checked at once, CONNECT and all input after it wait. */
  connect(options: ConnectOptions): void {
    const client: LoginClient = {
      address: this.#remoteAddress,
      nonce: this.#nonce,
      certificateNames: this.host.users.requires('nats') ? certificateNames(this.#accepted) : [],
    };
    const login = logIn(this.host, client, options);
    if (!(login instanceof Promise)) return this.#acceptAndSay(options, login);
    this.#gate.set('login', true);
    this.#parser.pause();
    login
      .then((login) => this.#loggedIn(options, login))
      .catch((error: unknown) => this.fail(closingText(error), error));
  }

  #loggedIn(options: ConnectOptions, login: Login): void {
    if (this.closed) return;
    this.#gate.set('login', false);
    this.#parser.resume();
    this.#acceptAndSay(options, login);
    if (!this.#gate.has('turn')) this.#receiveRest();
  }

  #acceptAndSay(options: ConnectOptions, login: Login): void {
    this.accept(options, login);
    if (this.verbose) this.sendOk();
  }

  /** Takes over the options of CONNECT. An option that it lacks keeps the value of an earlier CONNECT. */
  accept(options: ConnectOptions, login: Login): void {
    this.#enter(login);
    this.authDueMs = Infinity;
    if (options.protocol !== undefined && options.protocol !== 0 && options.protocol !== 1) {
      throw new ClosingError(ErrorText.invalidProtocol);
    }
    this.connected = true;
    this.verbose = options.verbose ?? this.verbose;
    this.pedantic = options.pedantic ?? this.pedantic;
    this.echo = options.echo ?? this.echo;
    this.headers = options.headers ?? this.headers;
    this.noResponders = options.no_responders ?? this.noResponders;
    if (options.protocol !== undefined) this.takesInfo = options.protocol >= 1;
    this.clientName = options.name ?? this.clientName;
    this.clientLanguage = options.lang ?? this.clientLanguage;
    this.clientVersion = options.version ?? this.clientVersion;
    if (this.noResponders && !this.headers) throw new ClosingError(ErrorText.noRespondersNeedHeaders);
  }

  #enter(login: Login): void {
    this.login = login;
    this.restrictions = Restrictions.for(login, this.host.router, this.host.clock);
  }

  /**
   * Logs in a client that sends another verb before CONNECT. Throws an Authorization Violation unless clients
   * without credentials have a user.
   */
  enterWithoutConnect(): void {
    const login = this.awaitsLogin ? undefined : this.host.users.anonymousLogin('nats');
    if (!login) throw new ClosingError(ErrorText.authorizationViolation);
    this.authDueMs = Infinity;
    this.#enter(login);
  }

  /**
   * Called when the users have changed: the session goes on with its new permissions. Subscriptions that are
   * no longer allowed end. If the user or the credential is gone, the connection ends.
   */
  renewLogin(): void {
    if (this.closed) return;
    const { users, clock, limits } = this.host;
    if (this.login === undefined) {
      // Without a login, the client needed no CONNECT.
      if (this.authorized && users.requires('nats'))
        this.authDueMs = clock.monotonic() + limits.authTimeoutMs;
      return;
    }
    const login = users.renew(this.login);
    if (login === this.login) return;
    if (login === undefined) return this.fail(ErrorText.authorizationViolation);
    this.#enter(login);
    for (const subscription of this.subscriptions.values()) {
      const { pattern, queue } = subscription.live!;
      const { restrictions } = this;
      subscription.filter = restrictions?.filterOf(pattern);
      if (restrictions === undefined || restrictions.maySubscribe(pattern, queue)) continue;
      this.deny('Subscription to', pattern, queue, subscription.sid);
      this.remove(subscription);
    }
  }

  /** The permissions of the client for topics. */
  get access(): Access {
    return this.login?.access ?? fullAccess;
  }

  /** Sends -ERR for an action that the permissions do not allow, in nats-server's words. */
  deny(what: 'Publish to' | 'Subscription to', subject: string, queue?: string, sid?: string): void {
    const ofQueue = queue === undefined ? '' : ` using queue ${JSON.stringify(queue)}`;
    const end = sid === undefined ? ofQueue : `${ofQueue} (sid ${JSON.stringify(sid)})`;
    const text = `Permissions Violation for ${what} ${JSON.stringify(subject)}${end}`;
    this.output.append(new FrameWriter().error(text).take());
  }

  add(pattern: string, queue: string | undefined, sid: string): void {
    const subscription = new Subscription(this, pattern, sid, this.restrictions?.filterOf(pattern));
    this.subscriptions.set(sid, subscription);
    subscription.live = this.host.router.subscribe(pattern, queue, subscription);
    this.lookedUp();
  }

  remove(subscription: Subscription): void {
    this.subscriptions.delete(subscription.sid);
    this.host.router.unsubscribe(subscription.live!);
  }

  /**
   * Called when a subject was looked up or subscribed to: few bytes can be much work. From time to time it
   * checks the time of the turn, which may end in the middle of the input.
   */
  lookedUp(): void {
    this.#lookUps = (this.#lookUps + 1) % lookUpsPerLook;
    if (this.#lookUps === 0 && !this.#gate.hasTime()) this.#parser.pause();
  }

  hold(reason: 'held' | 'congested' = 'held'): void {
    this.#gate.shut(reason);
  }

  release(reason: 'held' | 'congested' = 'held'): void {
    this.#gate.open(reason);
  }

  /** Ends the connection after -ERR. */
  fail(text: ErrorText, cause?: unknown): void {
    if (this.closed) return;
    this.complain(text);
    this.close(cause === undefined ? { kind: 'error', text } : { kind: 'error', text, cause });
  }

  /** Ends the connection. Waiting output is still sent; further input is dropped. */
  close(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.#gate.leave();
    this.#parser.stop();
    this.#unsubscribe(Array.from(this.subscriptions.values()));
    this.subscriptions.clear();
    this.host.closing(this, reason);
    if (reason.kind === 'slow-consumer' || reason.kind === 'socket') {
      this.output.close();
      this.#socket.destroy();
      return;
    }
    this.output.end();
    // Unread input would turn the close into a reset, and the client might never see the reason. So the input
    // is read and dropped for a while before the connection is cut.
    this.#linger = this.host.clock.setTimer(lingerMs, () => this.#socket.destroy());
  }

  /**
   * Ends some of the subscriptions per turn of the event loop. A closed session receives nothing, so the
   * others can wait.
   */
  #unsubscribe(subscriptions: Subscription[]): void {
    for (const { live } of subscriptions.splice(-unsubscribedAtOnce)) this.host.router.unsubscribe(live!);
    if (subscriptions.length > 0) this.host.clock.defer(() => this.#unsubscribe(subscriptions));
  }

  /**
   * The buffer for the next read: the rest of a large message is read directly into its own memory. Input
   * that waits comes first.
   */
  #nextRead(): Buffer {
    this.#room = this.closed || this.#rest.length > 0 ? undefined : this.#parser.room();
    return this.#room ?? this.host.readBuffer;
  }

  /**
   * The bytes of the message that it publishes, in a large buffer that outputs can send from, and their
   * position there. A message that lies in a chunk is copied once.
   */
  largeOf({ valueBuffer, encodedStart, encodedEnd }: LiveMessage): { buffer: Buffer; start: number } {
    const { large } = this.#parser;
    if (large !== undefined && large === valueBuffer) return { buffer: large, start: encodedStart };
    if (this.#shared === undefined || this.#sharedAt !== encodedStart) {
      this.#dropShared();
      this.#shared = this.host.flusher.large.take(encodedEnd - encodedStart);
      this.#sharedAt = encodedStart;
      this.#shared.set(valueBuffer.subarray(encodedStart, encodedEnd));
    }
    return { buffer: this.#shared, start: 0 };
  }

  #dropShared(): void {
    if (this.#shared !== undefined) this.host.flusher.large.release(this.#shared);
    this.#shared = undefined;
  }

  #receive(chunk: Buffer): void {
    if (this.closed) return;
    this.heard = true;
    this.inBytes += chunk.length;
    if (this.#room !== undefined) return this.#fillRoom(chunk.length);
    // A full read: the system would pass on more at once, some 2 MiB, before other connections get their
    // turn.
    if (chunk.length >= pieceBytes) return this.#receiveMuch(chunk);
    this.#isHeavy = false;
    const taken = this.#parse(chunk);
    if (this.#mustWait) this.#keepRest(chunk, taken);
  }

  #fillRoom(bytes: number): void {
    // As after any full read, other connections get their turn when the time is over.
    if (bytes >= pieceBytes) this.#gate.hasTime();
    try {
      this.#parser.filled(bytes);
    } catch (error) {
      this.fail(closingText(error), error);
    }
    this.message.clear();
  }

  /** Returns the number of bytes handled: all of them, except input after a login that has to wait. */
  #parse(chunk: Buffer): number {
    if (this.closed) return chunk.length;
    let taken = chunk.length;
    try {
      taken = this.#parser.parse(chunk);
    } catch (error) {
      this.fail(closingText(error), error);
    }
    this.message.clear(); // an idle connection must not keep the chunk
    if (this.#shared !== undefined) this.#dropShared();
    return taken;
  }

  #receiveMuch(chunk: Buffer): void {
    const taken = this.#parseDuringTurn(chunk);
    if (!this.closed && (taken < chunk.length || this.#mustWait)) this.#keepRest(chunk, taken);
  }

  /** Whether the rest of the input must wait, for the next turn or for the login. */
  get #mustWait(): boolean {
    return this.#gate.has('turn') || this.#gate.has('login');
  }

  #keepRest(chunk: Buffer, taken: number): void {
    // All connections share the buffer that was read into.
    this.#rest = Buffer.from(chunk.subarray(taken));
  }

  /** Continues with the input that was left earlier. */
  #receiveRest(): void {
    if (this.#gate.has('login')) return;
    this.#parser.resume();
    const taken = this.#parseDuringTurn(this.#rest);
    this.#rest = this.#mustWait && !this.closed ? this.#rest.subarray(taken) : noBytes;
  }

  /**
   * Parses while the turn lasts; returns the number of bytes parsed. Input of which one read takes longer
   * than a turn (thousands of API requests) is taken in smaller pieces.
   */
  #parseDuringTurn(bytes: Buffer): number {
    const { clock } = this.host;
    let taken = 0;
    while (this.#gate.hasTime() && taken < bytes.length && !this.closed && !this.#gate.has('login')) {
      const beginMs = clock.monotonic();
      const piece = bytes.subarray(taken, taken + (this.#isHeavy ? heavyPieceBytes : pieceBytes));
      taken += this.#parse(piece);
      this.#isHeavy ||= clock.monotonic() - beginMs > turnMs;
    }
    return taken;
  }

  /** Closes the connection because the client reads too slowly: more output waits than may. */
  #cut(): void {
    this.close({ kind: 'slow-consumer', pendingBytes: this.output.pendingBytes });
  }
}
