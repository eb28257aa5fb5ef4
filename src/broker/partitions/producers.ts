import type { Batch } from '../../log/index.ts';
import type { ByteReader, ByteWriter, SteadyTime } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';

/** A batch of a producer that is in the log already, as far as telling a repetition needs it. */
interface ProducedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
}

/** What a partition knows of one idempotent producer. */
interface Producer {
  epoch: number;
  /** The newest last; never empty, at most {@link batchesKept}. */
  readonly batches: ProducedBatch[];
  lastMs: number;
}

/** An idempotent producer as it last wrote to a partition. */
export interface ProducerView {
  readonly producerId: number;
  readonly epoch: number;
  readonly lastSequence: number;
  readonly lastMs: number;
}

/** What is to be done with a batch of an idempotent producer. */
export type SequenceCheck =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  /** Another producer has taken over its id. */
  | { readonly kind: 'fenced'; readonly epoch: number }
  | { readonly kind: 'out-of-order'; readonly expected: number };

/** As many as a producer may have under way. */
const batchesKept = 5;
/** Kafka's `producer.id.expiration.ms`. */
const forgottenAfterMs = 24 * 60 * 60 * 1000;
/** Per partition; beyond it the one that was silent for longest is forgotten. Some 500 bytes each. */
const producersMax = 10_000;
/** Sequence numbers go on at 0 after this one. */
const sequenceMax = 2 ** 31 - 1;

const next: SequenceCheck = { kind: 'next' };

/**
 * Producers is what a partition remembers of its idempotent producers: per producer id the epoch and the last
 * five batches with their sequence numbers, so that a batch that is sent again is stored once and a gap is
 * noticed.
 *
 * It follows from the headers of the batches in the log, and is made again from them on replay; a checkpoint
 * holds what is older.
 */
export class Producers {
  /** In the order in which they were last heard of. */
  readonly #producers = new Map<number, Producer>();
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  get size(): number {
    return this.#producers.size;
  }

  /** Who wrote here, the one that was silent for longest first. */
  *views(): Iterable<ProducerView> {
    for (const [producerId, { epoch, batches, lastMs }] of this.#producers)
      yield { producerId, epoch, lastSequence: batches[batches.length - 1]!.lastSequence, lastMs };
  }

  /**
   * Whether the batch may be appended. A producer that is not known (any more) may begin with any sequence
   * number.
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
    // A map keeps the place of a key that is set again; the newest belongs at the end.
    this.#producers.delete(producerId);
    this.#producers.set(producerId, producer);
    this.forget(steady);
  }

  /** Whether a batch of it brings nothing new to remember. */
  knows(producerId: number): boolean {
    return this.#producers.has(producerId);
  }

  /** Lets those go that were silent for too long, and the most silent of too many. */
  forget(steady: SteadyTime): void {
    const keptSinceMs = steady.now() - forgottenAfterMs;
    for (const [id, { lastMs }] of this.#producers) {
      if (this.#producers.size <= producersMax && steady.of(lastMs) > keptSinceMs) break;
      this.#producers.delete(id);
    }
    this.#meter.set(this.#producers.size);
  }

  /** The partition is gone. */
  close(): void {
    this.#meter.close();
  }

  /**
   * `uvarint count, (uvarint id, epoch, lastMs, batches, (uvarint firstSequence, lastSequence, baseOffset)*)*`
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
