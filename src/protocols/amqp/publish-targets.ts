import { Reader } from '../../wire/amqp/index.ts';
import { PublishTarget } from './publish-target.ts';

/** Class and method, and the reserved argument of basic.publish. */
const headBytes = 6;
/** Some 3 MB: as many queues get their messages in turn without being looked up again. */
const targetsMax = 4_096;

/**
 * The targets of recent publishes, by the bytes of their methods. All connections to a virtual host share
 * them, so that a publisher to many queues in turn does not find each route anew.
 */
export class PublishTargets {
  readonly #byMethod = new Map<string, PublishTarget>();
  #generation = -1;

  /**
   * The target of a basic.publish, `buffer[start, end)`. `generation` is that of the routes: with another
   * one, targets that may hold on to deleted queues are forgotten.
   */
  find(buffer: Buffer, start: number, end: number, generation: number): PublishTarget {
    if (this.#generation !== generation || this.#byMethod.size >= targetsMax) this.#byMethod.clear();
    this.#generation = generation;
    const bytes = buffer.toString('latin1', start, end);
    const known = this.#byMethod.get(bytes);
    if (known) return known;
    const target = readTarget(buffer, start, end);
    this.#byMethod.set(bytes, target);
    return target;
  }
}

function readTarget(buffer: Buffer, start: number, end: number): PublishTarget {
  const reader = new Reader(buffer, start + headBytes, end);
  const exchange = reader.shortstr();
  const keyOffset = reader.position + 1 - start;
  const routingKey = reader.shortstr();
  return new PublishTarget(Buffer.from(buffer.subarray(start, end)), {
    exchange,
    routingKey,
    keyOffset,
    flags: reader.u8(),
  });
}
