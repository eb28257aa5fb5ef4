import type {
  Consumer,
  Delivery,
  Group,
  Partition,
  PublishListener,
  Record,
  Topic,
} from '../../broker/index.ts';
import { type OffsetTable, Shelf } from './shelf.ts';
import { type Attributes, newId, type Span, type SpanForm, SpanKind, spanForm } from './otlp.ts';
import { contextOf, contextsInBatch, type TraceContext } from './trace-context.ts';
import { TracedPublish } from './traced-publish.ts';

/** Deliveries whose answers are waited for, and messages whose traces began here; the oldest go first. */
const openMax = 10_000;
const bornMax = 10_000;
/** Spans of one batch that a client built. */
const batchSpansMax = 100;

/** How a delivery was answered, as the name of an operation. */
export type Settlement = 'ack' | 'nack' | 'reject' | 'release' | 'postpone';

/** A delivery whose answer is waited for: all of its span but the end. */
export interface OpenDelivery {
  readonly begun: Omit<Span, 'endMs' | 'error'>;
  readonly group: Group;
}

/** Where spans go. */
export interface SpanSink {
  send(span: Span): void;
  close(timeoutMs: number): Promise<void>;
}

export interface TracingOptions {
  /** The share of messages without a context of their own that begin a trace, 0 to 1. */
  readonly ratio: number;
  /** Milliseconds since the epoch, with fractions. */
  readonly nowMs: () => number;
  /** A number from 0 to 1, without 1. */
  readonly random: () => number;
  /** The protocol of a connection. */
  readonly protocolOf: (connection: number) => string | undefined;
}

/** What a group has under way. */
interface Tables {
  /** Deliveries that wait for their answers. */
  readonly deliveries: OffsetTable<OpenDelivery>;
  /** Messages of its topic whose traces began here. */
  readonly born: OffsetTable<TraceContext>;
}

/**
 * Tracing makes the spans of a server, as the semantic conventions of OpenTelemetry name them for messaging:
 * `publish` until a message is on disk, `deliver` until it is answered, and the answer.
 *
 * A message whose publisher records its trace (the flag "sampled" of `traceparent`) is in that trace, in each
 * protocol and after a restart. Of the messages without a context, a share begins a trace of its own, which
 * is remembered here and not written into the message.
 */
export class Tracing {
  readonly #spans: SpanSink;
  readonly #forms = new WeakMap<Topic | Group, Map<string, SpanForm>>();
  readonly #options: TracingOptions;
  readonly #born = new Shelf<TraceContext>(bornMax);
  readonly #open = new Shelf<OpenDelivery>(openMax, ({ begun }) =>
    this.#spans.send({ ...begun, endMs: this.nowMs() }),
  );
  readonly #bornOfTopics = new WeakMap<Topic, OffsetTable<TraceContext>>();
  /** Messages until the next that begins a trace. */
  #untilNext: number;

  constructor(spans: SpanSink, options: TracingOptions) {
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
    if (!record.hasHeaders && --this.#untilNext > 0) return undefined;
    const parent = record.hasHeaders ? contextOf(record) : undefined;
    if (parent === null || (!parent && record.hasHeaders && --this.#untilNext > 0)) return undefined;
    if (!parent) this.#untilNext = this.#gap();
    const startMs = this.nowMs();
    const bytes = Math.max(0, record.valueEnd - record.valueStart); // the record is used again
    return new TracedPublish(listener, ({ partition, offset, error }) => {
      const context = childOf(parent);
      if (partition !== undefined && offset !== undefined && !parent)
        this.bornOf(topic).set(partition, offset, context);
      this.#spans.send({
        form: this.#formOf(topic, 'publish'),
        context,
        parentId: parent?.spanId,
        startMs,
        endMs: this.nowMs(),
        attributes: {
          ...placeOf(partition, offset),
          'messaging.message.body.size': bytes,
        },
        error,
      });
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
        const at = bornAt >= 0 && offset !== undefined ? offset + bornAt : undefined;
        const context = childOf(parent);
        if (at !== undefined) this.bornOf(topic).set(partition, at, context);
        this.#spans.send({
          form: this.#formOf(topic, 'publish'),
          context,
          parentId: parent?.spanId,
          startMs,
          endMs,
          attributes: { ...placeOf(partition, at), 'messaging.batch.message_count': count },
          error,
        });
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

  /** A consumer gets a message. */
  delivered(group: Group, delivery: Delivery, consumer: Consumer, { deliveries, born }: Tables): void {
    const { record, partition } = delivery;
    let parent = record.hasHeaders ? contextOf(record) : undefined;
    if (parent === null) return;
    if (!parent && born.size > 0) parent = born.get(partition, record.offset);
    if (!parent) return;
    const startMs = this.nowMs();
    // Without an answer until its deadline it is delivered again.
    const unanswered = deliveries.take(partition, record.offset);
    if (unanswered) this.#spans.send({ ...unanswered.begun, endMs: startMs, error: 'timeout' });
    const begun = {
      form: this.#formOf(group, 'deliver'),
      context: childOf(parent),
      parentId: parent.spanId,
      startMs,
      attributes: {
        ...placeOf(partition, record.offset),
        'messaging.message.body.size': Math.max(0, record.valueEnd - record.valueStart),
        'pillarbox.deliveries': delivery.deliveries,
        'messaging.client.id': consumer.member ?? consumer.label,
        'network.protocol.name':
          consumer.connection === undefined ? undefined : this.#options.protocolOf(consumer.connection),
      },
    };
    if (group.config.ack === 'none') this.#spans.send({ ...begun, endMs: this.nowMs() });
    else deliveries.set(partition, record.offset, { begun, group });
  }

  /** A delivery was answered. */
  settled({ begun, group }: OpenDelivery, settlement: Settlement, partition: number): void {
    const endMs = this.nowMs();
    const isFailure = settlement === 'nack' || settlement === 'reject';
    this.#spans.send({
      form: this.#formOf(group, settlement),
      context: childOf(begun.context),
      parentId: begun.context.spanId,
      startMs: endMs,
      endMs,
      attributes: placeOf(partition, undefined),
    });
    this.#spans.send({ ...begun, endMs, error: isFailure ? settlement : undefined });
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
        this.#spans.send({
          form: this.#formOf(topic, 'fetch'),
          context: childOf(parent),
          parentId: parent.spanId,
          startMs: nowMs,
          endMs: nowMs,
          attributes: { ...placeOf(index, undefined), 'network.protocol.name': protocol },
        });
      }
    }
  }

  /** What spans of an operation on a topic, or in a group, have in common. */
  #formOf(of: Topic | Group, operation: Operation): SpanForm {
    let forms = this.#forms.get(of);
    if (!forms) this.#forms.set(of, (forms = new Map()));
    let form = forms.get(operation);
    if (!form) forms.set(operation, (form = makeForm(of, operation)));
    return form;
  }

  /** How many messages pass until one begins a trace: on average the inverse of the ratio. */
  #gap(): number {
    const { ratio, random } = this.#options;
    if (ratio <= 0) return Infinity;
    return ratio >= 1 ? 1 : 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - ratio));
  }
}

type Operation = 'publish' | 'deliver' | 'fetch' | Settlement;

/** The type of an operation, as semantic conventions have it, and the kind of its spans. */
const operations = {
  publish: ['send', SpanKind.producer],
  deliver: ['process', SpanKind.consumer],
  fetch: ['receive', SpanKind.consumer],
} as const;
const settling = ['settle', SpanKind.client] as const;

function makeForm(of: Topic | Group, operation: Operation): SpanForm {
  const group = 'topic' in of ? of.name : undefined;
  const topic = 'topic' in of ? of.topic.name : of.name;
  const [type, kind] = operation in operations ? operations[operation as keyof typeof operations] : settling;
  const name = operation === 'fetch' ? 'deliver' : operation;
  return spanForm(`${name} ${topic}`, kind, {
    'messaging.system': 'pillarbox',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.name': topic,
    'messaging.consumer.group.name': group,
  });
}

/** A new span of the same trace; without a parent, of a new one. */
function childOf(parent: TraceContext | undefined): TraceContext {
  const spanId = newId(8);
  if (!parent) return { traceId: newId(16), spanId };
  const { traceId, state } = parent;
  return state === undefined ? { traceId, spanId } : { traceId, spanId, state };
}

function placeOf(partition: number | undefined, offset: number | undefined): Attributes {
  if (partition === undefined) return {};
  const place = { 'messaging.destination.partition.id': String(partition) };
  return offset === undefined ? place : { ...place, 'messaging.message.id': `${partition}-${offset}` };
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
