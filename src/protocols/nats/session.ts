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

/** Why a connection ended, for logs. */
export type CloseReason =
  | { readonly kind: 'client' }
  | { readonly kind: 'error'; readonly text: ErrorText; readonly cause?: unknown }
  | { readonly kind: 'socket'; readonly cause: Error }
  | { readonly kind: 'slow-consumer'; readonly pendingBytes: number }
  | { readonly kind: 'kicked' }
  | { readonly kind: 'stopping' };

/** How a session begins. */
export interface Greeting {
  /** With INFO; not where the client has had that before TLS. */
  readonly greets?: boolean;
  /** In INFO. */
  readonly nonce?: string | undefined;
}

/** A connection as the admin HTTP shows it. */
export interface NatsConnectionInfo extends ConnectionInfo {
  readonly subscriptions: number;
  readonly inMessages: number;
  readonly outMessages: number;
}

/** After -ERR a client has so long to read it before its connection is cut. */
const lingerMs = 1_000;

/** Input is taken in pieces of so many bytes: whether there is time for more is asked between two of them. */
const pieceBytes = 64 * 1024;
/** Input that is more work than most is taken in pieces of so many bytes. */
const heavyPieceBytes = 8 * 1024;

/** Subjects that are looked up or subscribed to between two looks at the time. */
const lookUpsPerLook = 16;

/** To end a subscription takes some 10 microseconds, and a client may have tens of thousands. */
const unsubscribedAtOnce = 500;

const noBytes = Buffer.alloc(0);
const ok = Buffer.from('+OK\r\n', 'latin1');
const pong = Buffer.from('PONG\r\n', 'latin1');
const ping = Buffer.from('PING\r\n', 'latin1');

/**
 * A session is one connection of a NATS client: what it asked for in CONNECT, its subscriptions, its parser
 * and its output.
 *
 * What its verbs do is in handlers.ts.
 */
export class Session implements LivePublisher, NatsSession, Connection {
  readonly id: number;
  readonly host: SessionHost;
  readonly output: Output;
  readonly subscriptions: Map<string, Subscription> = new Map();
  readonly connectedMs: number;
  /** Filled anew for every publish. */
  readonly message: LiveMessage = new LiveMessage();
  /** The route of the last publish; most often also that of the next. */
  route: Route | undefined = undefined;

  // Options of CONNECT, with the defaults of a client that has not said it.
  verbose = true;
  pedantic = true;
  echo = true;
  headers = false;
  noResponders = false;
  connected = false;
  /** Its first PING after CONNECT was answered. */
  greeted = false;
  /** Whether it understands INFO at any time. */
  takesInfo = false;
  clientName = '';
  clientLanguage = '';
  clientVersion = '';
  /** What it does is held against; undefined: it may do everything. */
  restrictions: Restrictions | undefined = undefined;
  /** Undefined before CONNECT. */
  login: Login | undefined = undefined;

  closed = false;
  inMessages = 0;
  inBytes = 0;
  /** Something came since the last look of the keep-alive. */
  heard = true;
  pingsOut = 0;
  pingDueMs: number;
  /** Until then it must have authenticated; Infinity once it has. */
  authDueMs: number;

  readonly #socket: Socket;
  readonly #parser: Parser<ClientVerb, Session>;
  readonly #remoteAddress: string;
  /** With TLS, it knows the client's certificate. */
  readonly #accepted: Socket;
  /** What the client signs to prove that it has an nkey. */
  readonly #nonce: string | undefined;
  /** Why it is not read. `login`: CONNECT waits until its password may be looked at. */
  readonly #gate: Gate;
  /** Read, and left for the next turn or for after the login. */
  #rest: Buffer = noBytes;
  /** Its input is more work than most: it is taken in pieces until it pauses. */
  #isHeavy = false;
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
    this.#parser = new Parser<ClientVerb, Session>(handlers, this, host.limits);
    const socket = readShared(accepted, host.readBuffer, (chunk) => this.#receive(chunk));
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

  /** Whether it may do anything but CONNECT. */
  get authorized(): boolean {
    return this.authDueMs === Infinity;
  }

  /** Publishers are not asked for signs of life while we do not listen. */
  get isHeld(): boolean {
    return this.#gate.isShut;
  }

  /** INFO; `leaving` tells the client to go elsewhere. */
  sendInfo(leaving = false): void {
    this.#writeInfo(leaving ? { ldm: true } : {});
  }

  /** The INFO that answers CONNECT: after the first PONG, and to clients that take INFO at any time. */
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

  /** -ERR that leaves the connection open. */
  complain(text: ErrorText): void {
    this.output.append(new FrameWriter().error(text).take());
  }

  /** The name of the user it has logged in as; '' without a login. */
  get user(): string {
    return this.login?.user?.name ?? '';
  }

  /** Whether its password is looked at, or waits for that. */
  get awaitsLogin(): boolean {
    return this.#gate.has('login');
  }

  /** CONNECT. Where its password cannot be looked at at once, it waits, and so does what comes after it. */
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

  /** Takes over what CONNECT says. What an earlier one said stays where this one is silent. */
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
   * A verb other than CONNECT has come. Throws an Authorization Violation, unless clients without credentials have
   * a user.
   */
  enterWithoutConnect(): void {
    const login = this.awaitsLogin ? undefined : this.host.users.anonymousLogin('nats');
    if (!login) throw new ClosingError(ErrorText.authorizationViolation);
    this.authDueMs = Infinity;
    this.#enter(login);
  }

  /**
   * The users have changed: it goes on with what it may do now. Subscriptions that are not allowed any more end,
   * and so does the connection when its user or credential is gone.
   */
  renewLogin(): void {
    if (this.closed) return;
    const { users, clock, limits } = this.host;
    if (this.login === undefined) {
      // Where no login was asked for it needed no CONNECT.
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

  /** What it may do with topics. */
  get access(): Access {
    return this.login?.access ?? fullAccess;
  }

  /** -ERR for what its permissions do not allow, in nats-server's words. */
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
   * A subject was looked up, or subscribed to: a few bytes that may be much work. Now and then its time is
   * looked at, and may be over in the middle of the input.
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

  /** Ends the connection: what waits is still sent, what comes is dropped. */
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
    // Unread input would turn the close into a reset, and the client might never see why: it is read on,
    // dropped, and then cut.
    this.#linger = this.host.clock.setTimer(lingerMs, () => this.#socket.destroy());
  }

  /**
   * Some of them per turn of the event loop: a closed session receives nothing, so the others need not wait
   * for all.
   */
  #unsubscribe(subscriptions: Subscription[]): void {
    for (const { live } of subscriptions.splice(-unsubscribedAtOnce)) this.host.router.unsubscribe(live!);
    if (subscriptions.length > 0) this.host.clock.defer(() => this.#unsubscribe(subscriptions));
  }

  #receive(chunk: Buffer): void {
    if (this.closed) return;
    this.heard = true;
    this.inBytes += chunk.length;
    // A full read: the system would hand on more at once, some 2 MiB before anybody else's turn.
    if (chunk.length >= pieceBytes) return this.#receiveMuch(chunk);
    this.#isHeavy = false;
    const taken = this.#parse(chunk);
    if (this.#mustWait) this.#keepRest(chunk, taken);
  }

  /** Returns how many bytes are done with: all of them, but for what comes after a login that has to wait. */
  #parse(chunk: Buffer): number {
    if (this.closed) return chunk.length;
    let taken = chunk.length;
    try {
      taken = this.#parser.parse(chunk);
    } catch (error) {
      this.fail(closingText(error), error);
    }
    this.message.clear(); // an idle connection must not keep the chunk
    return taken;
  }

  #receiveMuch(chunk: Buffer): void {
    const taken = this.#parseDuringTurn(chunk);
    if (!this.closed && (taken < chunk.length || this.#mustWait)) this.#keepRest(chunk, taken);
  }

  /** Nothing more of its input is taken before its next turn, or before it may log in. */
  get #mustWait(): boolean {
    return this.#gate.has('turn') || this.#gate.has('login');
  }

  #keepRest(chunk: Buffer, taken: number): void {
    // The buffer that was read into is for all connections.
    this.#rest = Buffer.from(chunk.subarray(taken));
  }

  /** Goes on with what was read earlier. */
  #receiveRest(): void {
    if (this.#gate.has('login')) return;
    this.#parser.resume();
    const taken = this.#parseDuringTurn(this.#rest);
    this.#rest = this.#mustWait && !this.closed ? this.#rest.subarray(taken) : noBytes;
  }

  /**
   * Parses while the turn lasts; returns how many bytes that were. Where a single read is work for longer
   * than a turn (requests to the API, by the thousand), it is taken in pieces.
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

  /** More waits than may: the client reads too slowly. */
  #cut(): void {
    this.close({ kind: 'slow-consumer', pendingBytes: this.output.pendingBytes });
  }
}
