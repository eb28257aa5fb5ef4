import { LiveMessage } from '../../../broker/index.ts';
import { Queue } from '../../../util/index.ts';
import type { NatsSession } from '../jetstream-door.ts';
import type { Context } from './context.ts';

/**
 * The number of requests of a connection that run at once, including those that wait for the disk or a
 * reader.
 */
const runningMax = 4;
/** Above these limits, a connection that sends more requests is not read. */
const waitingMax = 1024;
const waitingBytesMax = 4 * 1024 * 1024;

/** Answers a request; returns a promise if it is not done at once. */
export type Run = (message: LiveMessage) => Promise<void> | undefined;

/**
 * The API queue of a connection holds its JetStream API requests, which may be much work for few bytes. While
 * there is little to do they are answered as they come. Otherwise they wait, in order, and take turns with
 * the requests of all other connections.
 */
export class ApiQueue {
  readonly #context: Context;
  readonly #session: NatsSession;
  readonly #waiting = new Queue<{
    readonly message: LiveMessage;
    readonly run: Run;
    readonly bytes: number;
  }>();
  #waitingBytes = 0;
  #running = 0;
  #isPacing = false;
  #holds = false;

  constructor(context: Context, session: NatsSession) {
    this.#context = context;
    this.#session = session;
  }

  take(message: LiveMessage, run: Run): void {
    const { pacing } = this.#context.broker;
    const isFirst = this.#waiting.size === 0 && this.#running === 0;
    const rest = isFirst ? pacing.rest() : undefined;
    if (isFirst && rest === undefined) return this.#run(message, run);
    this.#push(message, run);
    if (!this.#isPacing && this.#running < runningMax) this.#goOnAfter(rest ?? pacing.wait());
  }

  #push(message: LiveMessage, run: Run): void {
    const copy = copyOf(message);
    const bytes = copy.valueEnd + copy.subjectEnd;
    this.#waiting.push({ message: copy, run, bytes });
    this.#waitingBytes += bytes;
    if (this.#holds || (this.#waiting.size < waitingMax && this.#waitingBytes < waitingBytesMax)) return;
    this.#holds = true;
    this.#session.hold();
  }

  #run(message: LiveMessage, run: Run): void {
    const running = run(message);
    if (!running) return;
    this.#running++;
    void running.finally(() => {
      this.#running--;
      if (this.#waiting.size > 0 && !this.#isPacing) this.#goOnAfter(this.#context.broker.pacing.wait());
    });
  }

  #goOnAfter(rest: Promise<void>): void {
    this.#isPacing = true;
    void rest.then(() => {
      this.#isPacing = false;
      this.#goOn();
    });
  }

  #goOn(): void {
    const { pacing } = this.#context.broker;
    while (this.#waiting.size > 0 && this.#running < runningMax) {
      const { message, run, bytes } = this.#waiting.shift()!;
      const runningBefore = this.#running;
      this.#waitingBytes -= bytes;
      this.#run(message, run);
      if (this.#waiting.size === 0 || this.#running >= runningMax) break;
      // A request that is still running has most of its work before it.
      const rest = this.#running > runningBefore ? pacing.wait() : pacing.rest();
      if (rest === undefined) continue;
      this.#goOnAfter(rest);
      break;
    }
    if (!this.#holds || this.#waiting.size > waitingMax / 2 || this.#waitingBytes > waitingBytesMax / 2)
      return;
    this.#holds = false;
    this.#session.release();
  }
}

/** Copies the parts of a message that requests read, into memory of their own. */
function copyOf(message: LiveMessage): LiveMessage {
  const copy = new LiveMessage();
  const { subjectBuffer, subjectStart, subjectEnd, replyBuffer, replyStart, replyEnd } = message;
  const { headerBuffer, headerStart, headerEnd, headerCodec } = message;
  const subject = Buffer.from(subjectBuffer.subarray(subjectStart, subjectEnd));
  copy.setSubject(subject, 0, subject.length);
  if (replyStart >= 0) {
    const reply = Buffer.from(replyBuffer.subarray(replyStart, replyEnd));
    copy.setReply(reply, 0, reply.length);
  }
  if (headerStart >= 0 && headerCodec !== undefined) {
    const headers = Buffer.from(headerBuffer.subarray(headerStart, headerEnd));
    copy.setHeaderBlock(headerCodec, headers, 0, headers.length);
  } else copy.headers = message.headers;
  const value = Buffer.from(message.value);
  copy.setValue(value, 0, value.length);
  return copy;
}
