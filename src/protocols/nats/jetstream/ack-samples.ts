import type { Context } from './context.ts';
import type { StreamConsumer } from './consumer.ts';
import { freshId } from './ids.ts';
import { nanosPerMs, timeText } from './time.ts';

/** The most deliveries whose times are remembered; the oldest are forgotten first. */
const deliveriesMax = 10_000;

/**
 * Ack samples measure the time that consumers take. For a share of the deliveries (`sample_freq`, in percent)
 * the time until the ack is published as `$JS.EVENT.METRIC.CONSUMER.ACK.<stream>.<consumer>`.
 */
export class AckSamples {
  readonly #context: Context;
  readonly #consumer: StreamConsumer;
  readonly #share: number;
  /** Stream sequence → time of the delivery, on the monotonic clock. */
  readonly #deliveredMs = new Map<number, number>();

  constructor(context: Context, consumer: StreamConsumer, percent: number) {
    this.#context = context;
    this.#consumer = consumer;
    this.#share = percent / 100;
  }

  delivered(sequence: number): void {
    if (this.#share < 1 && this.#context.random.next() >= this.#share) return;
    this.#deliveredMs.delete(sequence);
    this.#deliveredMs.set(sequence, this.#context.clock.monotonic());
    if (this.#deliveredMs.size <= deliveriesMax) return;
    for (const oldest of this.#deliveredMs.keys()) {
      this.#deliveredMs.delete(oldest);
      return;
    }
  }

  acked(sequence: number, deliveries: number, consumerSequence: number): void {
    const deliveredMs = this.#deliveredMs.get(sequence);
    if (deliveredMs === undefined) return;
    this.#deliveredMs.delete(sequence);
    const { clock, outlet, random } = this.#context;
    const { stream, name } = this.#consumer;
    outlet.advisory(`$JS.EVENT.METRIC.CONSUMER.ACK.${stream.name}.${name}`, () => ({
      type: 'io.nats.jetstream.metric.v1.consumer_ack',
      id: freshId(random),
      timestamp: timeText(clock.now()),
      stream: stream.name,
      consumer: name,
      consumer_seq: consumerSequence,
      stream_seq: sequence,
      ack_time: Math.round((clock.monotonic() - deliveredMs) * nanosPerMs),
      deliveries,
    }));
  }
}

/** `"30"` or `"30%"` as 30; 0 if nothing is to be sampled. */
export function samplePercent(frequency: string | undefined): number {
  return frequency === undefined ? 0 : Math.min(100, Number.parseInt(frequency, 10));
}
