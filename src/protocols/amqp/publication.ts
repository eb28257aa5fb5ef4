import type { BrokerError, PublishListener, PublishToAllOptions, Record, Topic } from '../../broker/index.ts';
import type { FieldValue, Properties } from '../../wire/amqp/index.ts';
import { toAll } from './confirms.ts';
import { delayOf, type Route } from './exchanges/index.ts';
import { traitsOf } from './queue-traits.ts';
import { refusalOf } from './refusals.ts';
import { publishLetters, refusingQueues } from './refused-letters.ts';
import type { SessionHost } from './session-host.ts';

/** Queues that take a message with the same options. */
export interface Part {
  readonly topics: readonly Topic[];
  readonly options: PublishToAllOptions | undefined;
}

/**
 * A publication is one message on its way to all its queues, in parts: some queues want it now and others
 * later, some look for duplicates and others do not. All queues get it in one commit, or none.
 */
export type Publication = readonly Part[];

/**
 * The header that has the id of a message for queues that drop duplicates, before the property `message-id`.
 */
const idHeader = 'x-deduplication-header';

/** What a message asks of its queues. */
export interface Wishes {
  readonly options: PublishToAllOptions | undefined;
  readonly properties: Properties;
  readonly nowMs: number;
}

const noHeaders: ReadonlyMap<string, FieldValue> = new Map();

/** The publication of a message with this route. */
export function publicationOf(
  { topics, delayed }: Pick<Route, 'topics' | 'delayed'>,
  { options, properties, nowMs }: Wishes,
): Publication {
  const { headers = noHeaders, messageId } = properties;
  const dedupeId = idOf(headers.get(idHeader)) ?? messageId;
  const parts: Part[] = [];
  const add = (topics: readonly Topic[], options: PublishToAllOptions | undefined): void => {
    if (topics.length > 0) parts.push({ topics, options });
  };
  const split = (topics: readonly Topic[], options: PublishToAllOptions | undefined): void => {
    if (dedupeId === undefined) return add(topics, options);
    add(
      topics.filter((topic) => !traitsOf(topic).dropsDuplicates),
      options,
    );
    add(
      topics.filter((topic) => traitsOf(topic).dropsDuplicates),
      { ...options, dedupeId },
    );
  };
  split(topics, options);
  split(delayed, { ...options, deliverAtMs: nowMs + delayOf(headers) });
  return parts;
}

function idOf(value: FieldValue | undefined): string | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return `${value}`;
  return undefined;
}

/**
 * Publishes to all queues, or to none; the listener is told once. If a full queue wants dead letters of what
 * it refuses, it gets them before the listener hears of the refusal.
 */
export function publishTo(
  { broker, exchanges }: Pick<SessionHost, 'broker' | 'exchanges'>,
  publication: Publication,
  record: Record,
  listener: PublishListener<number>,
  tag: number,
): void {
  const token = { listener, tag };
  const refusing = refusingQueues(publication, record);
  if (refusing.length > 0) {
    const { refusal } = refusing[0]!;
    return publishLetters(broker, exchanges, refusing, record, () => listener.refused(tag, refusal));
  }
  const [first] = publication;
  if (first && publication.length === 1)
    return broker.publishToAll(first.topics, record, first.options, 'all-or-none', toAll, token);
  // Every queue decides before the first of them changes.
  const refusal = firstRefusal(publication, record);
  if (refusal) return listener.refused(tag, refusal);
  const answer = oneAnswer(publication.length, listener, tag);
  const { timestampMs } = record;
  for (const { topics, options } of publication) {
    record.timestampMs = timestampMs; // a topic with append times has overwritten it
    broker.publishToAll(topics, record, options, 'all-or-none', toAll, { listener: answer, tag });
  }
}

function firstRefusal(publication: Publication, record: Record): BrokerError | undefined {
  for (const { topics, options } of publication)
    for (const topic of topics) {
      const refusal = refusalOf(topic, record, options);
      if (refusal) return refusal;
    }
  return undefined;
}

/** One answer for several parts: when all are published, or when the first is refused. */
export function oneAnswer(
  parts: number,
  listener: PublishListener<number>,
  tag: number,
): PublishListener<number> {
  let open = parts;
  let isRefused = false;
  return {
    published: () => {
      if (--open === 0 && !isRefused) listener.published(tag, 0, 0, false);
    },
    refused: (_, error) => {
      if (!isRefused) listener.refused(tag, error);
      isRefused = true;
    },
  };
}
