import {
  methodOf,
  methods,
  readArguments,
  readContentHeader,
  Reader,
  type FrameSink,
} from '../../wire/amqp/index.ts';
import { readU32 } from '../../util/index.ts';
import type { Channel } from './channel.ts';
import type { Content } from './content.ts';
import { dispatch, unfinishedContent } from './dispatch.ts';
import { AmqpError } from './errors.ts';
import { beginPublish, publish } from './handlers/publish.ts';
import type { Session } from './session.ts';

/** Class and method of basic.publish, as on the wire. */
const publishId = (60 << 16) | 40;
/** Steps of routing and publishing after which the input goes on in a later turn: some 5 ms. */
const stepsOfTurn = 10_000;

/**
 * The frames of a connection: methods go to their handlers, and a basic.publish is put together with the
 * content header and the body frames that follow it. An error closes the channel or the connection.
 */
export class Frames implements FrameSink {
  readonly #session: Session;
  /** Contents of which a method or a header is in the current chunk. */
  readonly #begun: Content[] = [];
  /** Steps of routing since the last turn. */
  #steps = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The bytes that the frames stood in are reused: what is still needed of them is copied. */
  chunkEnded(): void {
    for (const content of this.#begun) content.keep();
    this.#begun.length = 0;
  }

  begun(): void {
    this.#session.handshake?.begin();
  }

  method(number: number, buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    if (end - start > 4 && readU32(buffer, start) === publishId) {
      const channel = session.channels.get(number);
      if (channel && !channel.isClosing) return this.#beginPublish(channel, buffer, start, end);
    }
    const reader = new Reader(buffer, start, end);
    const [classId, methodId] = [reader.u16(), reader.u16()];
    const method = methodOf(classId, methodId);
    try {
      if (!method) throw new AmqpError('COMMAND_INVALID', `unknown method ${methodId} of class ${classId}`);
      const waiting = dispatch(session, number, method, readArguments(method, reader));
      if (waiting) session.waitFor(waiting, number, method);
    } catch (error) {
      session.failed(error, number, method);
    }
  }

  header(number: number, buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const channel = session.channels.get(number);
    if (channel?.isClosing) return;
    const method = channel?.content.target && methods.basic.publish;
    try {
      const waiting = this.#takeHeader(channel, buffer, start, end);
      if (waiting) session.waitFor(waiting, number, method);
    } catch (error) {
      session.failed(error, number, method);
    }
  }

  body(number: number, buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const channel = session.channels.get(number);
    if (channel?.isClosing) return;
    const method = channel?.content.target && methods.basic.publish;
    try {
      const waiting = this.#takeBody(channel, buffer, start, end);
      if (waiting) session.waitFor(waiting, number, method);
    } catch (error) {
      session.failed(error, number, method);
    }
  }

  heartbeat(number: number): void {
    if (number !== 0)
      this.#session.fail(
        new AmqpError('UNEXPECTED_FRAME', `a heartbeat on channel ${number}; they belong to channel 0`),
      );
  }

  #beginPublish(channel: Channel, buffer: Buffer, start: number, end: number): void {
    try {
      if (channel.content.target) throw unfinishedContent(channel);
      beginPublish(channel, buffer, start, end);
      this.#begun.push(channel.content);
    } catch (error) {
      this.#session.failed(error, channel.number, methods.basic.publish);
    }
  }

  #takeHeader(
    channel: Channel | undefined,
    buffer: Buffer,
    start: number,
    end: number,
  ): void | Promise<void> {
    const content = channel?.content;
    if (!content?.target || !content.awaitsHeader) throw noMethod();
    const { classId, bodyBytes, properties } = readContentHeader(buffer, start, end);
    if (classId !== 60) throw new AmqpError('UNEXPECTED_FRAME', 'expected content header for class 60');
    const { payloadBytesMax } = this.#session.host.limits;
    if (bodyBytes > payloadBytesMax) {
      content.clear();
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `message size ${bodyBytes} is larger than configured max size ${payloadBytesMax}`,
      );
    }
    content.header(bodyBytes, properties);
    if (bodyBytes === 0) return this.#publish(channel!);
    this.#begun.push(content);
  }

  #takeBody(channel: Channel | undefined, buffer: Buffer, start: number, end: number): void | Promise<void> {
    const content = channel?.content;
    if (content?.target && content.awaitsHeader) throw unfinishedContent(channel!);
    if (!content?.target || !content.piece(buffer, start, end)) throw noMethod();
    if (content.isComplete) return this.#publish(channel!);
  }

  #publish(channel: Channel): void | Promise<void> {
    const session = this.#session;
    const { broker, blockade, exchanges } = session.host;
    if (blockade.isUp) return this.#publishWhenUnblocked(channel);
    session.inMessages++;
    const before = exchanges.steps;
    const rest = publish(channel);
    channel.content.clear();
    if (broker.congested) session.holdBack();
    this.#steps += exchanges.steps - before;
    if (rest) return rest;
    if (this.#steps < stepsOfTurn) return;
    this.#steps = 0;
    return new Promise((resolve) => session.host.clock.defer(resolve));
  }

  async #publishWhenUnblocked(channel: Channel): Promise<void> {
    const session = this.#session;
    channel.content.keepAll();
    await session.host.blockade.wait(session);
    // The server may have closed the channel meanwhile.
    if (!channel.isClosing && !session.closed) return this.#publish(channel);
  }
}

function noMethod(): AmqpError {
  return new AmqpError('UNEXPECTED_FRAME', 'expected method frame, got non method frame instead');
}
