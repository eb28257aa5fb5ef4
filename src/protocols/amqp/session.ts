import type { Socket } from 'node:net';
import type { Timer } from '../../util/index.ts';
import {
  methodFrame,
  methods,
  protocolHeader,
  WireError,
  type Arguments,
  type Method,
} from '../../wire/amqp/index.ts';
import {
  AnswerShare,
  Output,
  readShared,
  type Connection,
  type ConnectionInfo,
} from '../connections/index.ts';
import { certificateNames, fullAccess, type Access, type Login } from '../users/index.ts';
import type { Channel } from './channel.ts';
import type { CloseReason } from './close-reason.ts';
import { AmqpError, amqpError } from './errors.ts';
import { Frames } from './frames.ts';
import { Handshake, type ClientFacts } from './handshake.ts';
import { Heartbeats } from './heartbeats.ts';
import { Input } from './input.ts';
import { frameBytesMin } from './limits.ts';
import type { LoginClient } from './login.ts';
import type { SessionHost } from './session-host.ts';
import type { VhostNames } from './vhosts/index.ts';

/** A connection as the admin HTTP shows it. */
export interface AmqpConnectionInfo extends ConnectionInfo {
  readonly channels: number;
  readonly consumers: number;
  readonly inMessages: number;
  readonly outMessages: number;
}

/** The time that a client has for reading connection.close before its connection is cut. */
const lingerMs = 1_000;
const noClient: ClientFacts = {
  name: '',
  product: '',
  version: '',
  hearsCancels: false,
  hearsBlocked: false,
  hearsRefusedLogins: false,
};

/**
 * A session is one connection of an AMQP client: its handshake, its channels, its input and its output. Its
 * frames are put together in frames.ts, and the methods are in handlers/.
 *
 * A method that has to wait for the disk is answered before the input after it is looked at, so that answers
 * are in the order of the requests.
 */
export class Session implements Connection {
  readonly id: number;
  /** From connection.open on that of the virtual host. */
  host: SessionHost;
  readonly output: Output;
  readonly connectedMs: number;
  readonly channels: Map<number, Channel> = new Map();
  /** What the client has said about itself. */
  client: ClientFacts = noClient;
  /** Undefined before the login. */
  login: Login | undefined = undefined;
  /** The user name that the client gave, even if clients need not log in. */
  userName = '';
  closed = false;
  inMessages = 0;
  channelsMax: number;
  /** The negotiated largest frame. */
  frameBytesMax: number;
  /** Undefined once the connection is open. */
  handshake: Handshake | undefined;
  readonly #socket: Socket;
  readonly #accepted: Socket;
  readonly #input: Input;
  readonly #heartbeats: Heartbeats;
  readonly #remoteAddress: string;
  /** The deadline of the handshake. */
  #openDueMs: number;
  #linger: Timer | undefined = undefined;

  constructor(host: SessionHost, accepted: Socket, id: number) {
    const nowMs = host.clock.monotonic();
    this.host = host;
    this.id = id;
    this.connectedMs = host.clock.now();
    this.channelsMax = host.limits.channelsMax;
    // Before the tuning, frames are small.
    this.frameBytesMax = frameBytesMin;
    this.#openDueMs = nowMs + host.limits.handshakeMs;
    this.handshake = new Handshake(this);
    this.#remoteAddress = accepted.remoteAddress ?? '';
    this.#accepted = accepted;
    this.#input = new Input(this, new Frames(this), host.turns, host.limits.frameBytesMax);
    const socket = readShared(accepted, host.readBuffer, (chunk) => this.#receive(chunk));
    this.#socket = socket;
    this.#input.of(socket);
    const cut = (): void => this.#cut();
    const share = new AnswerShare(host.room, host.clock, { end: cut });
    this.output = new Output(socket, host.flusher, host.limits, share, cut);
    this.#heartbeats = new Heartbeats(this.output, nowMs);
    socket.on('error', (cause) => this.close({ kind: 'socket', cause }));
    socket.on('end', () => this.close({ kind: 'client' }));
    socket.on('close', () => {
      this.close({ kind: 'client' });
      this.#linger?.cancel();
      host.gone(this);
    });
  }

  info(): AmqpConnectionInfo {
    let consumers = 0;
    for (const channel of this.channels.values()) consumers += channel.consumers.size;
    return {
      id: this.id,
      protocol: 'amqp',
      address: this.#remoteAddress,
      name: this.client.name,
      user: this.login?.user?.name ?? null,
      software: this.client.product,
      version: this.client.version,
      connectedMs: this.connectedMs,
      channels: this.channels.size,
      consumers,
      inMessages: this.inMessages,
      inBytes: this.#input.bytes,
      outMessages: this.output.messages,
      outBytes: this.output.sentBytes,
      pendingBytes: this.output.pendingBytes,
    };
  }

  get loginClient(): LoginClient {
    return {
      address: this.#remoteAddress,
      certificateNames: this.host.asksForCertificates ? certificateNames(this.#accepted) : [],
    };
  }

  /** The permissions of the client for topics. */
  get access(): Access {
    return this.login?.access ?? fullAccess;
  }

  /** The names of the virtual host. */
  get names(): VhostNames {
    return this.host.queues.names;
  }

  kick(): void {
    this.fail(new AmqpError('CONNECTION_FORCED', 'Closed via the admin API'), { kind: 'kicked' });
  }

  send<M extends Method>(channel: number, method: M, values: Arguments<M>): void {
    if (!this.closed) this.output.append(methodFrame(channel, method, values));
  }

  // ---- handshake

  /** Takes over what connection.tune-ok says. */
  tuned(channelsMax: number, frameBytesMax: number, heartbeatSeconds: number): void {
    this.channelsMax = channelsMax;
    this.frameBytesMax = frameBytesMax;
    this.#input.frameBytesMax = frameBytesMax;
    this.#heartbeats.intervalSeconds = heartbeatSeconds;
  }

  /** The connection is open, in a virtual host. */
  opened(host: SessionHost): void {
    this.host = host;
    this.handshake = undefined;
    this.#openDueMs = Infinity;
  }

  /** Called when the users have changed: the session goes on with its new permissions, or ends. */
  renewLogin(): void {
    if (this.closed || this.login === undefined) return;
    const login = this.host.users.renew(this.login);
    if (login === undefined)
      this.fail(new AmqpError('CONNECTION_FORCED', `user '${this.userName}' was changed or deleted`));
    else this.login = login;
  }

  // ---- methods under way

  /** Looks at no further input until the promise is settled; an error is that of the method. */
  waitFor(promise: Promise<void>, number: number, method: Method | undefined): void {
    this.#input.waitFor(promise.catch((error: unknown) => this.failed(error, number, method)));
  }

  /** Stops reading while too much waits for the disk. */
  holdBack(): void {
    this.#input.holdBack(this.host.broker);
  }

  /** A method of this channel has failed: closes the channel or the connection. */
  failed(error: unknown, number: number, method: Method | undefined): void {
    if (this.closed) return;
    const failure = amqpError(error);
    const channel = this.channels.get(number);
    if (channel && failure.isOfChannel) this.closeChannel(channel, failure, method);
    else this.fail(failure, undefined, method);
  }

  /** Closes a channel because of an error. */
  closeChannel(channel: Channel, { code, text }: AmqpError, method?: Method): void {
    if (channel.isClosing) return;
    const [failedClass, failedMethod] = method?.id ?? [0, 0];
    channel.send(methods.channel.close, { replyCode: code, replyText: text, failedClass, failedMethod });
    channel.isClosing = true;
    channel.close();
  }

  // ---- the end

  /** Reads no further input: the server is about to stop. */
  hold(): void {
    this.#input.hold();
  }

  /** Ends the connection after connection.close, or at once if the client does not speak AMQP. */
  fail(error: AmqpError, reason?: CloseReason, method?: Method): void {
    if (this.closed) return;
    const [failedClass, failedMethod] = method?.id ?? [0, 0];
    const { code, text, cause } = error;
    const why: CloseReason = reason ?? { kind: 'error', text, ...(cause !== undefined && { cause }) };
    if (cause instanceof WireError && cause.code === 'protocol-header') {
      this.output.append(protocolHeader);
      return this.close(why);
    }
    this.send(0, methods.connection.close, { replyCode: code, replyText: text, failedClass, failedMethod });
    this.close(why);
  }

  /** Ends the connection without a word, as clients expect that do not hear of refused logins. */
  refuseSilently(error: AmqpError): void {
    this.close({ kind: 'error', text: error.text });
  }

  /** Forgets a channel that has ended. */
  removeChannel(channel: Channel): void {
    this.channels.delete(channel.number);
  }

  /** The client ends the connection. */
  closeByClient(): void {
    this.send(0, methods.connection.closeOk, {});
    this.close({ kind: 'client' });
  }

  /** Ends the connection. Waiting output is still sent; further input is dropped. */
  close(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.#input.end();
    for (const channel of this.channels.values()) channel.close();
    this.channels.clear();
    this.host.blockade.leave(this);
    this.host.queues.connectionClosed(this);
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

  /** Looks at the deadlines of the connection and its heartbeats; called every second or so. */
  lookAfter(nowMs: number): void {
    if (this.closed) return;
    const { limits } = this.host;
    const { output } = this;
    if (output.busy && nowMs - output.busySinceMs >= limits.writeDeadlineMs) return this.#cut();
    if (nowMs >= this.#openDueMs && !this.#input.isWaiting) return this.close({ kind: 'silent' });
    if (!this.#heartbeats.look(nowMs, this.#input.isShut)) return this.close({ kind: 'silent' });
    for (const channel of this.channels.values()) this.#lookAtConsumers(channel, nowMs);
  }

  #lookAtConsumers(channel: Channel, nowMs: number): void {
    const overdue = channel.unacked.overdue(nowMs);
    if (!overdue) return;
    const text = `delivery acknowledgement on channel ${channel.number} timed out. Timeout value used: ${overdue.timeoutMs} ms. This timeout value can be configured, see consumers doc guide to learn more`;
    this.closeChannel(channel, new AmqpError('PRECONDITION_FAILED', text));
  }

  #receive(chunk: Buffer): void {
    this.#heartbeats.heard();
    this.#input.receive(chunk);
  }

  /** Closes the connection because the client reads too slowly: more output waits than may. */
  #cut(): void {
    this.close({ kind: 'slow-consumer', pendingBytes: this.output.pendingBytes });
  }
}
