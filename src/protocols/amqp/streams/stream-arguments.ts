import type { TopicOptions } from '../../../broker/index.ts';
import type { FieldTable, FieldValue } from '../../../wire/amqp/index.ts';
import { AmqpError } from '../errors.ts';
import { intervalMs } from './interval.ts';

/** The largest segment that RabbitMQ takes as an argument, in bytes. */
const segmentBytesMax = 3_000_000_000;
const [filterBytesMin, filterBytesMax] = [16, 255];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Takes the value of one argument over; throws a text that says what is wrong with it. */
type Taker = (value: FieldValue, into: Mutable<Partial<TopicOptions>>) => void;

const takers: { readonly [name: string]: Taker } = {
  'x-queue-type': () => {},
  'x-max-age': (value, into) => {
    const ms = typeof value === 'string' ? intervalMs(value) : undefined;
    if (ms === undefined) throw new Error('invalid_max_age');
    into.ageMsMax = ms;
  },
  'x-max-length-bytes': (value, into) => void (into.bytesMax = wholeNumber(value, 1, Infinity)),
  // Segments and filters are our own affair; their sizes are only checked.
  'x-stream-max-segment-size-bytes': (value) => {
    if (wholeNumber(value, 1, Infinity) > segmentBytesMax)
      throw new AmqpError('PRECONDITION_FAILED', 'Exceeded max value for x-stream-max-segment-size-bytes');
  },
  'x-stream-filter-size-bytes': (value) => void wholeNumber(value, filterBytesMin, filterBytesMax),
  // One consumer at a time reads the stream, and the next one goes on where it ends.
  'x-single-active-consumer': (value) => {
    if (typeof value !== 'boolean') throw new Error('expected a boolean');
  },
  'x-queue-leader-locator': () => {},
  'x-initial-cluster-size': () => {},
};

/** Whether a queue.declare asks for a stream. */
export function asksForStream(table: FieldTable): boolean {
  return table.get('x-queue-type') === 'stream';
}

/** The properties of a queue.declare that are not arguments. */
interface Flags {
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
}

/**
 * The topic of a stream with these arguments, which is `shown` so: only its limits remove messages. Throws
 * PRECONDITION_FAILED for a property or an argument that streams do not have.
 */
export function streamTopic(shown: string, flags: Flags, table: FieldTable): Partial<TopicOptions> {
  checkFlags(shown, flags);
  const into: Mutable<Partial<TopicOptions>> = {
    retention: 'limits',
    durability: 'disk',
    overflow: 'drop-oldest',
  };
  for (const [name, value] of table) {
    const take = takers[name];
    const invalid = (why: string): AmqpError =>
      new AmqpError('PRECONDITION_FAILED', `invalid arg '${name}' for ${shown}${why}`);
    if (!take && name.startsWith('x-')) throw invalid(' of queue type rabbit_stream_queue');
    try {
      take?.(value, into);
    } catch (error) {
      if (error instanceof AmqpError) throw error;
      throw invalid(`: ${(error as Error).message}`);
    }
  }
  return into;
}

function checkFlags(shown: string, { durable, exclusive, autoDelete }: Flags): void {
  const wrong = autoDelete ? 'auto-delete' : exclusive ? 'exclusive-owner' : durable ? '' : 'non-durable';
  if (wrong !== '') throw new AmqpError('PRECONDITION_FAILED', `invalid property '${wrong}' for ${shown}`);
}

function wholeNumber(value: FieldValue, min: number, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new Error(max === Infinity ? `expected a whole number from ${min}` : `expected ${min} to ${max}`);
}
