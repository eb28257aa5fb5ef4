import {
  DeadLetterHeader,
  recordOf,
  type Broker,
  type BrokerError,
  type Header,
  type PublishToAllOptions,
  type Record,
  type Topic,
} from '../../broker/index.ts';
import { rfc3339 } from '../../util/index.ts';
import { routeLetter } from './dead-letters.ts';
import type { Exchanges } from './exchanges/index.ts';
import type { Publication } from './publication.ts';
import { traitsOf } from './queue-traits.ts';
import { copyOf } from './record-copy.ts';
import { refusalOf } from './refusals.ts';

// `x-overflow: reject-publish-dlx`: a full queue refuses a publish, and the message goes to the dead-letter
// exchange of that queue. The broker knows no dead letter that was never in a topic, so it is made here.

/** A queue that refuses a message because it is full, and wants a dead letter of it. */
interface Refusing {
  readonly topic: Topic;
  readonly options: PublishToAllOptions | undefined;
  readonly refusal: BrokerError;
}

/** The queues that want a dead letter of a message because they refuse it now. */
export function refusingQueues(publication: Publication, record: Record): readonly Refusing[] {
  const refusing: Refusing[] = [];
  for (const { topics, options } of publication)
    for (const topic of topics) {
      if (!traitsOf(topic).buriesRefused) continue;
      const refusal = refusalOf(topic, record, options);
      const isFull = refusal?.code === 'topic-full' || refusal?.code === 'topic-bytes-full';
      if (isFull) refusing.push({ topic, options, refusal });
    }
  return refusing;
}

/** Appends after which the next letters wait for another turn of the event loop: some 10 ms. */
const appendsOfTurn = 1_024;

/**
 * Publishes the dead letters, many of them in turns; calls back when they are on disk, or cannot be stored.
 */
export function publishLetters(
  broker: Broker,
  exchanges: Exchanges,
  refusing: readonly Refusing[],
  record: Record,
  done: () => void,
): void {
  let open = refusing.length;
  const ended = (): void => void (--open === 0 && done());
  const waiting = [...refusing];
  const publish = (source: Record): void => {
    for (let appends = 0; appends < appendsOfTurn;) {
      const next = waiting.shift();
      if (!next) return;
      const { topic, options } = next;
      const { priority } = options ?? {};
      const dying = { topic, key: source.key, headers: source.headers, cause: 'overflow' } as const;
      const topics = routeLetter(broker, exchanges, dying);
      appends += 1 + topics.length;
      broker.publishToAll(
        topics,
        letterOf(topic, source, broker.clock.now()),
        priority === undefined ? undefined : { priority },
        'each',
        { published: ended, refused: ended },
        undefined,
      );
    }
    // What the record stands in is used again.
    const kept = source === record ? copyOf(record) : source;
    broker.clock.defer(() => publish(kept));
  };
  publish(record);
}

/** The headers are those of every dead letter; no offset, because it was never stored. */
function letterOf(topic: Topic, record: Record, nowMs: number): Record {
  const text = (name: string, value: string): Header => ({ name, value: Buffer.from(value, 'utf8') });
  const time = rfc3339(nowMs);
  const headers: Header[] = [
    ...record.headers,
    text(DeadLetterHeader.topic, topic.name),
    text(DeadLetterHeader.partition, '0'),
    text(DeadLetterHeader.offset, '-1'),
    { name: DeadLetterHeader.key, value: record.key },
    text(DeadLetterHeader.cause, 'overflow: the publish was refused'),
    text(DeadLetterHeader.deliveries, '0'),
    text(DeadLetterHeader.firstTime, time),
    text(DeadLetterHeader.time, time),
  ];
  return recordOf({ key: topic.name, headers, value: record.value });
}
