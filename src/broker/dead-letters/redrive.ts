import type { Header, Record } from '../../log/index.ts';
import type { Clock } from '../../util/index.ts';
import { DeadLetterHeader, deadLetterOrigin, deadLetterPrefix } from './dead-letter.ts';
import { BrokerError, type BrokerErrorCode } from '../errors.ts';
import { copyHeaders, recordOf } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Topic } from '../topics/topic.ts';

/** The services that the broker offers to a redrive. */
export interface RedriveHost {
  readonly clock: Clock;
  topic(name: string): Topic | undefined;
  afterCommit(callback: () => void): void;
}

/** Selects the dead letters of a redrive, and their destination. */
export interface RedriveOptions {
  /** The maximum number of messages. */
  readonly limit?: number;
  /** The topic that gets the messages, instead of the topic of origin of each. */
  readonly to?: string;
  /** Only the dead letters at these offsets. */
  readonly offsets?: readonly number[];
}

/** Dead letters that stay because their topic refuses them. */
export interface RedriveRefusal {
  readonly topic: string;
  readonly code: BrokerErrorCode;
  /** The reason, in one sentence. */
  readonly message: string;
  readonly count: number;
}

/** The result of a redrive. */
export interface Redriven {
  readonly moved: number;
  /** Messages that could not be moved, by topic and reason. */
  readonly stayed: readonly RedriveRefusal[];
}

/**
 * Moves dead letters back to their topics of origin, without the headers that they got: the append there and
 * the removal here are one commit. The topic applies its limits as for any publish. A dead letter stays if
 * the topic refuses it, no longer exists, or is denied by `mayGoTo`. Resolves when the moves are durable.
 */
export async function redrive(
  host: RedriveHost,
  letters: Topic,
  options: RedriveOptions = {},
  mayGoTo: (topic: string) => boolean = () => true,
): Promise<Redriven> {
  const wanted = options.offsets === undefined ? undefined : new Set(options.offsets);
  const stayed = new Map<string, RedriveRefusal>();
  let moved = 0;
  for (const partition of letters.partitions.opened.slice()) {
    const end = partition.nextOffset; // new dead letters wait for the next redrive
    for await (const record of partition.scan(partition.firstOffset, { toOffset: end })) {
      if (moved >= (options.limit ?? Infinity)) break;
      if (wanted && !wanted.has(record.offset)) continue;
      if (!partition.isLive(record.offset)) continue; // moved by another redrive since
      const refusal = putBack(host, record, options.to, mayGoTo);
      if (refusal) {
        noteRefusal(stayed, refusal);
        continue;
      }
      partition.remove(record.offset);
      moved++;
    }
  }
  await new Promise<void>((resolve) => host.afterCommit(resolve));
  return { moved, stayed: [...stayed.values()] };
}

/** Appends the message to its destination. Returns the reason if that is refused. */
function putBack(
  host: RedriveHost,
  letter: Record,
  to: string | undefined,
  mayGoTo: (topic: string) => boolean,
): BrokerError | undefined {
  const origin = deadLetterOrigin(letter.headers);
  const name = to ?? origin?.topic ?? '';
  if (name !== '' && !mayGoTo(name))
    return new BrokerError('not-allowed', `Publishing to topic "${name}" is not permitted.`, { topic: name });
  const topic = host.topic(name);
  if (!topic) {
    const what =
      name === ''
        ? 'The message does not say which topic it came from.'
        : `There is no topic "${name}" any more.`;
    return new BrokerError('topic-not-found', what, { topic: name });
  }
  const { partitions } = topic;
  const partition: Partition =
    partitions.at(to === undefined ? (origin?.partition ?? 0) : 0) ?? partitions.at(0)!;
  const again = recordOf({
    key: letter.headers.findLast((header) => header.name === DeadLetterHeader.key)?.value ?? null,
    headers: copyHeaders(withoutOrigin(letter.headers)),
    value: letter.value,
    timestampMs: host.clock.now(),
  });
  // The partition is passed as the one to use, so that the message does not wait for room.
  const priority = topic.priorityLike(priorityOf(letter.headers));
  const admission = topic.admit(again, { priority }, partition);
  if (admission.kind === 'refused') {
    const { code, message, details } = admission.error;
    return new BrokerError(code, message, { ...details, topic: name });
  }
  topic.appendAccepted(again, partition, { priority });
  return undefined;
}

/** The priority in the topic of origin. */
function priorityOf(headers: readonly Header[]): number {
  const at = headers.findLastIndex(({ name }) => name === DeadLetterHeader.topic);
  const header = headers.findLast(({ name }, index) => index > at && name === DeadLetterHeader.priority);
  const priority = Number(header?.value ? Buffer.from(header.value).toString('utf8') : 0);
  return Number.isInteger(priority) && priority > 0 ? priority : 0;
}

/**
 * The headers from before the message was given up. Headers of an earlier dead letter, from another topic,
 * stay.
 */
function withoutOrigin(headers: readonly Header[]): readonly Header[] {
  const at = headers.findLastIndex(({ name }) => name === DeadLetterHeader.topic);
  return headers.filter(({ name }, index) => index < at || !name.startsWith(deadLetterPrefix));
}

/** Keeps one entry per topic and reason, with the first message. */
function noteRefusal(stayed: Map<string, RedriveRefusal>, { code, message, details }: BrokerError): void {
  const topic = details.topic ?? '';
  const id = `${code} ${topic}`;
  const known = stayed.get(id) ?? { topic, code, message, count: 0 };
  stayed.set(id, { ...known, count: known.count + 1 });
}
