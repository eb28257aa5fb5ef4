import type { Socket } from 'node:net';
import type { Timer } from '../../util/index.ts';
import {
  FrameParser,
  heartbeatFrame,
  methodFrame,
  methodOf,
  methods,
  protocolHeader,
  readArguments,
  readContentHeader,
  Reader,
  WireError,
  type Arguments,
  type FrameSink,
  type Method,
} from '../../wire/amqp/index.ts';
import {
  AnswerShare,
  Gate,
  Output,
  readShared,
  type Connection,
  type ConnectionInfo,
} from '../connections/index.ts';
import { certificateNames, fullAccess, type Access, type Login } from '../users/index.ts';
import { Channel } from './channel.ts';
import type { Content } from './content.ts';
import { AmqpError, amqpError } from './errors.ts';
import { handlerOf } from './handlers/index.ts';
import { beginPublish, publish } from './handlers/publish.ts';
import { Handshake, type ClientFacts } from './handshake.ts';
import { frameBytesMin } from './limits.ts';
import type { LoginClient } from './login.ts';
import type { SessionHost } from './session-host.ts';

/** The reason for the end of a connection, for logs. */
export type CloseReason =
  | { readonly kind: 'client' }
  | { readonly kind: 'error'; readonly text: string; readonly cause?: unknown }
  | { readonly kind: 'socket'; readonly cause: Error }
  | { readonly kind: 'silent' }
  | { readonly kind: 'slow-consumer'; readonly pendingBytes: number }
  | { readonly kind: 'kicked' }
  | { readonly kind: 'stopping' };

/** A connection as the admin HTTP shows it. */
export interface AmqpConnectionInfo extends ConnectionInfo {
  readonly channels: number;
  readonly consumers: number;
  readonly inMessages: number;
  readonly outMessages: number;
}

/** The time that a client has for reading connection.close before its connection is cut. */
const lingerMs = 1_000;
/** Input is parsed in pieces of this size; the turn's time is checked between two of them. */
const pieceBytes = 64 * 1024;

const noBytes = Buffer.alloc(0);
const noClient: ClientFacts = {
  name: '',
  product: '',
  version: '',
  hearsCancels: false,
  hearsBlocked: false,
  hearsRefusedLogins: false,
};

/**
 * A session is one connection of an AMQP client: its handshake, its channels, its parser and its output. The
 * methods are in handlers/.
 *
 * A method that has to wait for the disk is answered before the input after it is looked at, so that answers
 * are in the order of the requests.
 */
export class Session implements Connection, FrameSink {
  readonly id: number;
  readonly host: SessionHost;
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
  inBytes = 0;
  channelsMax: number;
  /** The negotiated largest frame. */
  frameBytesMax: number;
  /** Whether there was input since the last look at the heartbeats. */
  heard = true;
  readonly #socket: Socket;
  readonly #accepted: Socket;
  readonly #parser: FrameParser;
  readonly #remoteAddress: string;
  readonly #gate: Gate;
  /** Undefined once the connection is open. */
  #handshake: Handshake | undefined;
  /** The deadline of the handshake. */
  #openDueMs: number;
  /** The interval of heartbeats; 0: none. */
  #heartbeatMs = 0;
  #silentMs = 0;
  #unsentMs = 0;
  #sentBytes = 0;
  #lookedMs: number;
  /** Input that was read, but has to wait: for the next turn, or for the answer to a method before it. */
  #rest: Buffer = noBytes;
  #isCongested = false;
  /** Contents of which a method or a header is in the current chunk. */
  readonly #begun: Content[] = [];
  #linger: Timer | undefined = undefined;

  constructor(host: SessionHost, accepted: Socket, id: number) {
    const nowMs = host.clock.monotonic();
    this.host = host;
    this.id = id;
    this.connectedMs = host.clock.now();
    this.channelsMax = host.limits.channelsMax;
    // Before the tuning, frames are small.
    this.frameBytesMax = frameBytesMin;
    this.#lookedMs = nowMs;
    this.#openDueMs = nowMs + host.limits.handshakeMs;
    this.#handshake = new Handshake(this);
    this.#remoteAddress = accepted.remoteAddress ?? '';
    this.#accepted = accepted;
    this.#gate = new Gate(host.turns, () => this.#receiveRest());
    this.#parser = new FrameParser(this, host.limits.frameBytesMax);
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
      inBytes: this.inBytes,
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
    this.#parser.frameBytesMax = frameBytesMax;
    this.#heartbeatMs = heartbeatSeconds * 1000;
  }

  /** The connection is open. */
  opened(): void {
    this.#handshake = undefined;
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

  // ---- frames

  begun(): void {
    this.#handshake?.begin();
  }

  method(number: number, buffer: Buffer, start: number, end: number): void {
    const reader = new Reader(buffer, start, end);
    const [classId, methodId] = [reader.u16(), reader.u16()];
    if (classId === 60 && methodId === 40) {
      const channel = this.channels.get(number);
      if (channel && !channel.isClosing)
        return this.#guard(number, methods.basic.publish, () =>
          this.#beginPublish(channel, buffer, start, end),
        );
    }
    const method = methodOf(classId, methodId);
    this.#guard(number, method, () => {
      if (!method) throw new AmqpError('COMMAND_INVALID', `unknown method ${methodId} of class ${classId}`);
      return this.#take(number, method, readArguments(method, reader));
    });
  }

  header(number: number, buffer: Buffer, start: number, end: number): void {
    const channel = this.channels.get(number);
    if (channel?.isClosing) return;
    this.#guard(number, channel?.content.target && methods.basic.publish, () => {
      const content = channel?.content;
      const { target } = content ?? {};
      if (!content || !target || !content.awaitsHeader)
        throw new AmqpError('UNEXPECTED_FRAME', 'expected method frame, got non method frame instead');
      const { classId, bodyBytes, properties } = readContentHeader(buffer, start, end);
      if (classId !== 60) throw new AmqpError('UNEXPECTED_FRAME', 'expected content header for class 60');
      const { payloadBytesMax } = this.host.limits;
      if (bodyBytes > payloadBytesMax) {
        content.clear();
        throw new AmqpError(
          'PRECONDITION_FAILED',
          `message size ${bodyBytes} is larger than configured max size ${payloadBytesMax}`,
        );
      }
      content.header(bodyBytes, properties);
      if (bodyBytes === 0) return this.#publish(channel);
      this.#begun.push(content);
    });
  }

  body(number: number, buffer: Buffer, start: number, end: number): void {
    const channel = this.channels.get(number);
    if (channel?.isClosing) return;
    this.#guard(number, channel?.content.target && methods.basic.publish, () => {
      const content = channel?.content;
      if (content?.target && content.awaitsHeader)
        throw new AmqpError('UNEXPECTED_FRAME', expectedHeader(channel!));
      if (!content?.target || !content.piece(buffer, start, end))
        throw new AmqpError('UNEXPECTED_FRAME', 'expected method frame, got non method frame instead');
      if (content.isComplete) return this.#publish(channel!);
    });
  }

  heartbeat(number: number): void {
    if (number !== 0)
      this.fail(
        new AmqpError('UNEXPECTED_FRAME', `a heartbeat on channel ${number}; they belong to channel 0`),
      );
  }

  #beginPublish(channel: Channel, buffer: Buffer, start: number, end: number): void {
    if (channel.content.target) throw new AmqpError('UNEXPECTED_FRAME', expectedHeader(channel));
    beginPublish(channel, buffer, start, end);
    this.#begun.push(channel.content);
  }

  #publish(channel: Channel): void | Promise<void> {
    if (this.host.blockade.isUp) return this.#publishWhenUnblocked(channel);
    this.inMessages++;
    publish(channel);
    channel.content.clear();
    if (this.host.broker.congested) this.#holdBack();
  }

  async #publishWhenUnblocked(channel: Channel): Promise<void> {
    channel.content.keepAll();
    await this.host.blockade.wait(this);
    // The server may have closed the channel meanwhile.
    if (!channel.isClosing && !this.closed) return this.#publish(channel);
  }

  /** Stops reading while too much waits for the disk. */
  #holdBack(): void {
    if (this.#isCongested) return;
    this.#isCongested = true;
    this.#gate.shut('congested');
    this.host.broker.onUncongested(() => {
      this.#isCongested = false;
      this.#gate.open('congested');
    });
  }

  #take(number: number, method: Method, values: Arguments<Method>): void | Promise<void> {
    if (method === methods.connection.close) return this.#closeByClient();
    if (method === methods.connection.closeOk) return this.close({ kind: 'client' });
    if (this.#handshake) return this.#handshake.step(number, method, values);
    const channel = this.channels.get(number);
    if (channel?.isClosing) return this.#takeClosing(channel, method);
    if (number === 0 && method.id[0] !== 10)
      throw new AmqpError('CHANNEL_ERROR', 'unexpected method in connection state running');
    // The new secret of a user with a token; there are no such tokens here.
    if (method === methods.connection.updateSecret)
      return this.send(0, methods.connection.updateSecretOk, {});
    if (method === methods.channel.open) return this.#openChannel(number);
    if (!channel) throw new AmqpError('CHANNEL_ERROR', "expected 'channel.open'");
    if (channel.content.target) throw new AmqpError('UNEXPECTED_FRAME', expectedHeader(channel));
    const handler = handlerOf(method);
    if (!handler) throw new AmqpError('COMMAND_INVALID', 'unimplemented method');
    return handler(channel, values);
  }

  #openChannel(number: number): void {
    if (this.channels.has(number)) throw new AmqpError('CHANNEL_ERROR', "second 'channel.open' seen");
    if (number > this.channelsMax || this.channels.size >= this.channelsMax)
      throw new AmqpError(
        'NOT_ALLOWED',
        `number of channels opened (${this.channels.size}) has reached the negotiated channel_max (${this.channelsMax})`,
      );
    this.channels.set(number, new Channel(this, number));
    this.send(number, methods.channel.openOk, { reserved1: noBytes });
  }

  /** A channel that the server has closed answers nothing until the client has confirmed that. */
  #takeClosing(channel: Channel, method: Method): void {
    if (method === methods.channel.close) this.send(channel.number, methods.channel.closeOk, {});
    else if (method === methods.channel.closeOk) this.channels.delete(channel.number);
  }

  /** Runs a step of a channel; an error closes the channel or the connection. */
  #guard(number: number, method: Method | undefined, step: () => void | Promise<void>): void {
    try {
      const waiting = step();
      if (waiting) this.#waitFor(waiting, number, method);
    } catch (error) {
      this.#failed(error, number, method);
    }
  }

  /** Whether input has to wait: for a method before it, or because the server is about to stop. */
  get #isWaiting(): boolean {
    return this.#gate.has('held');
  }

  /** Looks at no further input until the promise is settled. */
  #waitFor(promise: Promise<void>, number: number, method: Method | undefined): void {
    this.#parser.pause();
    this.#gate.shut('held');
    promise
      .catch((error: unknown) => this.#failed(error, number, method))
      .finally(() => {
        if (this.closed) return;
        this.#gate.open('held');
        if (!this.#gate.has('turn')) this.#receiveRest();
      })
      .catch((error: unknown) => this.fail(amqpError(error)));
  }

  #failed(error: unknown, number: number, method: Method | undefined): void {
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
    this.#parser.pause();
    this.#gate.shut('held');
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

  #closeByClient(): void {
    this.send(0, methods.connection.closeOk, {});
    this.close({ kind: 'client' });
  }

  /** Ends the connection. Waiting output is still sent; further input is dropped. */
  close(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.#gate.leave();
    this.#parser.pause();
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
    if (nowMs >= this.#openDueMs && !this.#isWaiting) return this.close({ kind: 'silent' });
    this.#lookAtHeartbeats(nowMs);
    for (const channel of this.channels.values()) this.#lookAtConsumers(channel, nowMs);
  }

  /** Sends a heartbeat if nothing was sent, and ends a connection that was silent for two intervals. */
  #lookAtHeartbeats(nowMs: number): void {
    const elapsedMs = nowMs - this.#lookedMs;
    if (this.#heartbeatMs === 0) return;
    if (this.heard || this.#gate.isShut) this.#silentMs = 0;
    else this.#silentMs += elapsedMs;
    this.heard = false;
    this.#lookedMs = nowMs;
    if (this.#silentMs >= 2 * this.#heartbeatMs) return this.close({ kind: 'silent' });
    if (this.output.sentBytes === this.#sentBytes) {
      this.#unsentMs += elapsedMs;
      if (this.#unsentMs >= this.#heartbeatMs / 2) this.output.append(heartbeatFrame);
    }
    if (this.output.sentBytes !== this.#sentBytes) this.#unsentMs = 0;
    this.#sentBytes = this.output.sentBytes;
  }

  #lookAtConsumers(channel: Channel, nowMs: number): void {
    const { consumerTimeoutMs } = this.host.limits;
    const { oldestMs } = channel.unacked;
    if (oldestMs === undefined || nowMs - oldestMs < consumerTimeoutMs) return;
    const text = `delivery acknowledgement on channel ${channel.number} timed out. Timeout value used: ${consumerTimeoutMs} ms. This timeout value can be configured, see consumers doc guide to learn more`;
    this.closeChannel(channel, new AmqpError('PRECONDITION_FAILED', text));
  }

  // ---- input

  #receive(chunk: Buffer): void {
    if (this.closed) return;
    this.heard = true;
    this.inBytes += chunk.length;
    if (this.#isWaiting || this.#rest.length > 0) return this.#keepRest(chunk);
    const taken = chunk.length >= pieceBytes ? this.#parseDuringTurn(chunk) : this.#parse(chunk);
    if (taken < chunk.length) this.#keepRest(chunk.subarray(taken));
  }

  #parse(chunk: Buffer): number {
    if (this.closed) return chunk.length;
    let taken = chunk.length;
    try {
      taken = this.#parser.parse(chunk);
    } catch (error) {
      this.fail(amqpError(error));
    }
    for (const content of this.#begun) content.keep();
    this.#begun.length = 0;
    return this.closed ? chunk.length : taken;
  }

  /** All connections share the buffer that was read into, so the rest is copied. */
  #keepRest(bytes: Buffer): void {
    if (!this.closed) this.#rest = Buffer.concat([this.#rest, bytes]);
  }

  /** Continues with the input that was left earlier. */
  #receiveRest(): void {
    if (this.#isWaiting || this.closed) return;
    this.#parser.resume();
    const rest = this.#rest;
    this.#rest = noBytes;
    const taken = this.#parseDuringTurn(rest);
    this.#rest = this.closed ? noBytes : rest.subarray(taken);
  }

  /** Parses while the turn lasts; returns the number of bytes parsed. */
  #parseDuringTurn(bytes: Buffer): number {
    let taken = 0;
    while (taken < bytes.length && !this.closed && !this.#isWaiting && this.#gate.hasTime())
      taken += this.#parse(bytes.subarray(taken, taken + pieceBytes));
    return taken;
  }

  /** Closes the connection because the client reads too slowly: more output waits than may. */
  #cut(): void {
    this.close({ kind: 'slow-consumer', pendingBytes: this.output.pendingBytes });
  }
}

function expectedHeader(channel: Channel): string {
  return channel.content.awaitsHeader
    ? 'expected content header for class 60, got non content header frame instead'
    : 'expected content body, got non content body frame instead';
}
