import type { Batch } from '../../log/index.ts';
import type { ByteReader, ByteWriter, SteadyTime } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';

/** The fields of an appended batch that are needed to recognize a repetition. */
interface ProducedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
}

/** State of one idempotent producer. */
interface Producer {
  epoch: number;
  /** The newest is last; never empty, at most {@link batchesKept}. */
  readonly batches: ProducedBatch[];
  lastMs: number;
}

/** The state of an idempotent producer after its last write to a partition. */
export interface ProducerView {
  readonly producerId: number;
  readonly epoch: number;
  readonly lastSequence: number;
  readonly lastMs: number;
}

/** The result of checking a batch of an idempotent producer. */
export type SequenceCheck =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  /** A newer instance of the producer has taken over its id. */
  | { readonly kind: 'fenced'; readonly epoch: number }
  | { readonly kind: 'out-of-order'; readonly expected: number };

/** The number of batches that a Kafka producer may have in flight. */
const batchesKept = 5;
/** Kafka's `producer.id.expiration.ms`. */
const forgottenAfterMs = 24 * 60 * 60 * 1000;
/**
 * Maximum per partition, some 500 bytes each. Beyond it, the producer that was silent for longest is
 * forgotten.
 */
const producersMax = 10_000;
/** The sequence number after this one is 0. */
const sequenceMax = 2 ** 31 - 1;

const next: SequenceCheck = { kind: 'next' };

/**
 * Producers is the memory of a partition about its idempotent producers: per producer id the epoch and the
 * last five batches with their sequence numbers. With it, a batch that is sent again is stored once, and a
 * gap is detected.
 *
 * The state follows from the headers of the batches in the log, and is rebuilt from them on replay. A
 * checkpoint contains the older part.
 */
export class Producers {
  /** In the order of their last batches. */
  readonly #producers = new Map<number, Producer>();
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  get size(): number {
    return this.#producers.size;
  }

  /** The producers that wrote here; the one that was silent for longest comes first. */
  *views(): Iterable<ProducerView> {
    for (const [producerId, { epoch, batches, lastMs }] of this.#producers)
      yield { producerId, epoch, lastSequence: batches[batches.length - 1]!.lastSequence, lastMs };
  }

  /**
   * Whether the batch may be appended. An unknown or forgotten producer may start with any sequence number.
   */
  check(batch: Batch): SequenceCheck {
    const producer = this.#producers.get(batch.producerId);
    if (!producer) return next;
    const { baseSequence, producerEpoch } = batch;
    if (producerEpoch < producer.epoch) return { kind: 'fenced', epoch: producer.epoch };
    if (producerEpoch > producer.epoch)
      return baseSequence === 0 ? next : { kind: 'out-of-order', expected: 0 };
    const lastSequence = lastSequenceOf(batch);
    for (const known of producer.batches) {
      if (known.firstSequence === baseSequence && known.lastSequence === lastSequence)
        return { kind: 'duplicate', baseOffset: known.baseOffset };
    }
    const last = producer.batches[producer.batches.length - 1]!.lastSequence;
    const expected = last === sequenceMax ? 0 : last + 1;
    return baseSequence === expected ? next : { kind: 'out-of-order', expected };
  }

  /** The batch was appended. */
  note(batch: Batch, nowMs: number, steady: SteadyTime): void {
    const { producerId, producerEpoch, baseSequence, baseOffset } = batch;
    const known = this.#producers.get(producerId);
    const isSame = known?.epoch === producerEpoch;
    const producer: Producer = isSame ? known : { epoch: producerEpoch, batches: [], lastMs: nowMs };
    producer.lastMs = nowMs;
    if (producer.batches.length === batchesKept) producer.batches.shift();
    producer.batches.push({ firstSequence: baseSequence, lastSequence: lastSequenceOf(batch), baseOffset });
    // Setting an existing key of a map does not move it; the newest producer belongs at the end.
    this.#producers.delete(producerId);
    this.#producers.set(producerId, producer);
    this.forget(steady);
  }

  /** Whether the producer is remembered, so that a batch of it needs no new entry. */
  knows(producerId: number): boolean {
    return this.#producers.has(producerId);
  }

  /** Forgets producers that were silent for too long, and the most silent ones beyond the maximum number. */
  forget(steady: SteadyTime): void {
    const keptSinceMs = steady.now() - forgottenAfterMs;
    for (const [id, { lastMs }] of this.#producers) {
      if (this.#producers.size <= producersMax && steady.of(lastMs) > keptSinceMs) break;
      this.#producers.delete(id);
    }
    this.#meter.set(this.#producers.size);
  }

  /** Called when the partition is gone. */
  close(): void {
    this.#meter.close();
  }

  /**
   * `uvarint count, (uvarint id, epoch, lastMs, batches, (uvarint firstSequence, lastSequence,
   * baseOffset)*)*`
   */
  encode(writer: ByteWriter): void {
    writer.uvarint(this.#producers.size);
    for (const [id, { epoch, lastMs, batches }] of this.#producers) {
      writer.uvarint(id).uvarint(epoch).uvarint(lastMs).uvarint(batches.length);
      for (const { firstSequence, lastSequence, baseOffset } of batches)
        writer.uvarint(firstSequence).uvarint(lastSequence).uvarint(baseOffset);
    }
  }

  decode(reader: ByteReader): void {
    for (let count = reader.uvarint(); count > 0; count--) {
      const id = reader.uvarint();
      const epoch = reader.uvarint();
      const lastMs = reader.uvarint();
      const batches = Array.from({ length: reader.uvarint() }, () => ({
        firstSequence: reader.uvarint(),
        lastSequence: reader.uvarint(),
        baseOffset: reader.uvarint(),
      }));
      this.#producers.set(id, { epoch, lastMs, batches });
    }
    this.#meter.set(this.#producers.size);
  }
}

/** The sequence number of a batch's last record. */
function lastSequenceOf({ baseSequence, baseOffset, endOffset }: Batch): number {
  const last = baseSequence + (endOffset - 1 - baseOffset);
  return last <= sequenceMax ? last : last - sequenceMax - 1;
}
