import type { Delivery, Group, Partition, PublishListener, Record, Topic } from '../../broker/index.ts';
import { type OffsetTable, Shelf } from './shelf.ts';
import { type OpenSpan, SpanKind, type Spans } from './spans.ts';
import { contextOf, contextsInBatch, type TraceContext } from './trace-context.ts';
import { TracedPublish } from './traced-publish.ts';

/** Deliveries whose answers are waited for, and messages whose traces began here; the oldest go first. */
const openMax = 10_000;
const bornMax = 10_000;
/** Spans of one batch that a client built. */
const batchSpansMax = 100;

/** How a delivery was answered, as the name of an operation. */
export type Settlement = 'ack' | 'nack' | 'reject' | 'release' | 'postpone';

/** A delivery whose answer is waited for. */
export interface OpenDelivery {
  readonly span: OpenSpan;
  readonly topic: string;
  readonly group: string;
}

export interface TracingOptions {
  /** The share of messages without a context of their own that begin a trace, 0 to 1. */
  readonly ratio: number;
  /** Milliseconds since the epoch, with fractions. */
  readonly nowMs: () => number;
  /** A number from 0 to 1, without 1. */
  readonly random: () => number;
}

/**
 * Tracing makes the spans of a server, as the semantic conventions of OpenTelemetry name them for messaging:
 * `publish` until a message is on disk, `deliver` until it is answered, and the answer.
 *
 * A message whose publisher records its trace (the flag "sampled" of `traceparent`) is in that trace, in each
 * protocol and after a restart. Of the messages without a context, a share begins a trace of its own, which is
 * remembered here and not written into the message.
 */
export class Tracing {
  readonly #spans: Spans;
  readonly #options: TracingOptions;
  readonly #born = new Shelf<TraceContext>(bornMax);
  readonly #open = new Shelf<OpenDelivery>(openMax, ({ span }) => span.end(this.nowMs()));
  readonly #bornOfTopics = new WeakMap<Topic, OffsetTable<TraceContext>>();
  /** Messages until the next that begins a trace. */
  #untilNext: number;

  constructor(spans: Spans, options: TracingOptions) {
    this.#spans = spans;
    this.#options = options;
    this.#untilNext = this.#gap();
  }

  nowMs(): number {
    return this.#options.nowMs();
  }

  close(timeoutMs: number): Promise<void> {
    this.#open.clear();
    return this.#spans.close(timeoutMs);
  }

  // ---- publishes

  /** Begins a span if there is to be one: then returns a listener to be told in place of this one. */
  publish<T>(topic: Topic, record: Record, listener: PublishListener<T>): PublishListener<T> | undefined {
    const parent = record.hasHeaders ? contextOf(record) : undefined;
    if (parent === null || (parent === undefined && --this.#untilNext > 0)) return undefined;
    if (!parent) this.#untilNext = this.#gap();
    const startMs = this.nowMs();
    return new TracedPublish(listener, (told) => {
      const span = this.#spans.start({
        name: `publish ${topic.name}`,
        kind: SpanKind.producer,
        attributes: {
          ...attributesOf('publish', 'send', topic.name),
          'messaging.message.body.size': Math.max(0, record.valueEnd - record.valueStart),
        },
        parent,
        startMs,
      });
      const { partition, offset, error } = told;
      if (partition !== undefined) {
        if (offset !== undefined && !parent) this.bornOf(topic).set(partition, offset, span.context);
        span.set(placeOf(partition, offset));
      }
      span.end(this.nowMs(), error);
    });
  }

  /** The same for a batch that the client built. */
  publishBatch<T>(
    topic: Topic,
    partition: number,
    batch: Uint8Array,
    listener: PublishListener<T>,
  ): PublishListener<T> | undefined {
    const parents: (TraceContext | undefined)[] = contextsInBatch(batch, batchSpansMax);
    const count = recordsIn(batch);
    let bornAt = -1;
    if (parents.length === 0) {
      if (this.#untilNext <= count) {
        bornAt = this.#untilNext - 1;
        this.#untilNext = this.#gap();
        parents.push(undefined);
      } else this.#untilNext -= count;
    }
    if (parents.length === 0) return undefined;
    const startMs = this.nowMs();
    return new TracedPublish(listener, ({ offset, error }) => {
      const endMs = this.nowMs();
      for (const parent of parents) {
        const span = this.#spans.start({
          name: `publish ${topic.name}`,
          kind: SpanKind.producer,
          attributes: {
            ...attributesOf('publish', 'send', topic.name),
            ...placeOf(partition, bornAt >= 0 && offset !== undefined ? offset + bornAt : undefined),
            'messaging.batch.message_count': count,
          },
          parent,
          startMs,
        });
        if (bornAt >= 0 && offset !== undefined)
          this.bornOf(topic).set(partition, offset + bornAt, span.context);
        span.end(endMs, error);
      }
    });
  }

  /** The messages of a topic whose traces began here. */
  bornOf(topic: Topic): OffsetTable<TraceContext> {
    let table = this.#bornOfTopics.get(topic);
    if (!table) this.#bornOfTopics.set(topic, (table = this.#born.table()));
    return table;
  }

  // ---- deliveries and answers

  /** A table for the deliveries of a group. */
  deliveries(): OffsetTable<OpenDelivery> {
    return this.#open.table();
  }

  /** A consumer gets a message. `protocol` and `client` name it, if they are known. */
  delivered(
    group: Group,
    delivery: Delivery,
    consumer: { readonly protocol: string | undefined; readonly client: string | undefined },
    deliveries: OffsetTable<OpenDelivery>,
    born: OffsetTable<TraceContext>,
  ): void {
    const { record, partition } = delivery;
    let parent = record.hasHeaders ? contextOf(record) : undefined;
    if (parent === null) return;
    if (!parent && born.size > 0) parent = born.get(partition, record.offset);
    if (!parent) return;
    const startMs = this.nowMs();
    // Without an answer until its deadline it is delivered again.
    deliveries.take(partition, record.offset)?.span.end(startMs, 'timeout');
    const topic = group.topic.name;
    const span = this.#spans.start({
      name: `deliver ${topic}`,
      kind: SpanKind.consumer,
      attributes: {
        ...attributesOf('deliver', 'process', topic),
        ...placeOf(partition, record.offset),
        'messaging.consumer.group.name': group.name,
        'messaging.message.body.size': Math.max(0, record.valueEnd - record.valueStart),
        'pillarbox.deliveries': delivery.deliveries,
        ...(consumer.client === undefined ? {} : { 'messaging.client.id': consumer.client }),
        ...(consumer.protocol === undefined ? {} : { 'network.protocol.name': consumer.protocol }),
      },
      parent,
      startMs,
    });
    if (group.config.ack === 'none') span.end(this.nowMs());
    else deliveries.set(partition, record.offset, { span, topic, group: group.name });
  }

  /** A delivery was answered. */
  settled({ span, topic, group }: OpenDelivery, settlement: Settlement, partition: number): void {
    const nowMs = this.nowMs();
    this.#spans
      .start({
        name: `${settlement} ${topic}`,
        kind: SpanKind.client,
        attributes: {
          ...attributesOf(settlement, 'settle', topic),
          ...placeOf(partition, undefined),
          'messaging.consumer.group.name': group,
        },
        parent: span.context,
        startMs: nowMs,
      })
      .end(nowMs);
    span.end(nowMs, settlement === 'nack' || settlement === 'reject' ? settlement : undefined);
  }

  /** A client read batches by itself: its group is not known, and it answers by committing offsets. */
  fetched(
    { topic, index }: Pick<Partition, 'topic' | 'index'>,
    from: number,
    buffers: readonly Uint8Array[],
    protocol: string,
  ): void {
    const born = this.bornOf(topic);
    for (const buffer of buffers) {
      const parents = contextsInBatch(buffer, batchSpansMax);
      if (born.size > 0) parents.push(...bornIn(born, index, from, buffer));
      for (const parent of parents) {
        const nowMs = this.nowMs();
        this.#spans
          .start({
            name: `deliver ${topic.name}`,
            kind: SpanKind.consumer,
            attributes: {
              ...attributesOf('deliver', 'receive', topic.name),
              ...placeOf(index, undefined),
              'network.protocol.name': protocol,
            },
            parent,
            startMs: nowMs,
          })
          .end(nowMs);
      }
    }
  }

  /** How many messages pass until one begins a trace: on average the inverse of the ratio. */
  #gap(): number {
    const { ratio, random } = this.#options;
    if (ratio <= 0) return Infinity;
    return ratio >= 1 ? 1 : 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - ratio));
  }
}

function attributesOf(operation: string, type: string, topic: string): { readonly [name: string]: string } {
  return {
    'messaging.system': 'pillarbox',
    'messaging.operation.name': operation,
    'messaging.operation.type': type,
    'messaging.destination.name': topic,
  };
}

function placeOf(partition: number, offset: number | undefined): { readonly [name: string]: string } {
  return {
    'messaging.destination.partition.id': String(partition),
    ...(offset === undefined ? {} : { 'messaging.message.id': `${partition}-${offset}` }),
  };
}

// RecordBatch v2: `baseOffset:int64 …`, the last offset delta at 23, the count of records at 57.
const lastDeltaAt = 23;
const countAt = 57;
const headBytes = 61;

function recordsIn(batch: Uint8Array): number {
  if (batch.length < headBytes) return 0;
  return Math.max(0, viewOf(batch).getInt32(countAt));
}

/** The contexts of messages from `from` on whose traces began here. */
function bornIn(
  born: OffsetTable<TraceContext>,
  partition: number,
  from: number,
  batch: Uint8Array,
): TraceContext[] {
  if (batch.length < headBytes) return [];
  const view = viewOf(batch);
  const baseOffset = Number(view.getBigInt64(0));
  return born.range(partition, Math.max(from, baseOffset), baseOffset + view.getInt32(lastDeltaAt));
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
