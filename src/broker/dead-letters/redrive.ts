import type { Header, Record } from '../../log/index.ts';
import type { Clock } from '../../util/index.ts';
import { DeadLetterHeader, deadLetterOrigin, deadLetterPrefix } from './dead-letter.ts';
import { BrokerError, type BrokerErrorCode } from '../errors.ts';
import { copyHeaders, recordOf } from '../partitions/message.ts';
import type { Partition } from '../partitions/partition.ts';
import type { Topic } from '../topics/topic.ts';

/** What a redrive needs from the broker around it. */
export interface RedriveHost {
  readonly clock: Clock;
  topic(name: string): Topic | undefined;
  afterCommit(callback: () => void): void;
}

/** What a redrive takes. */
export interface RedriveOptions {
  /** At most so many. */
  readonly limit?: number;
  /** Another topic than the one each message came from. */
  readonly to?: string;
  /** Only the dead letters at these offsets. */
  readonly offsets?: readonly number[];
}

/** Dead letters that stay where they are because their topic does not take them. */
export interface RedriveRefusal {
  readonly topic: string;
  readonly code: BrokerErrorCode;
  /** Why, in one sentence. */
  readonly message: string;
  readonly count: number;
}

/** What became of a redrive. */
export interface Redriven {
  readonly moved: number;
  /** Those that were to be moved and were not, by topic and reason. */
  readonly stayed: readonly RedriveRefusal[];
}

/**
 * Puts dead letters back where they came from, without the headers they got: append there and removal here
 * are one commit. The topic is asked as for any publish, so that its limits hold; what it refuses stays, and
 * so does what has no topic any more, or one that `mayGoTo` denies. Resolves when that is durable.
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
    const end = partition.nextOffset; // what dies again meanwhile waits for the next redrive
    for await (const record of partition.scan(partition.firstOffset, { toOffset: end })) {
      if (moved >= (options.limit ?? Infinity)) break;
      if (wanted && !wanted.has(record.offset)) continue;
      if (!partition.isLive(record.offset)) continue; // another redrive took it, between the reading and now
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

/** Appends the message to where it goes; why not, if not. */
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
  // The partition is given as one whose turn it is: what is put back does not wait for room.
  const admission = topic.admit(again, undefined, partition);
  if (admission.kind === 'refused') {
    const { code, message, details } = admission.error;
    return new BrokerError(code, message, { ...details, topic: name });
  }
  topic.appendAccepted(again, partition);
  return undefined;
}

/**
 * The headers as they were before the message was given up. Those of an earlier time, when it was given up
 * elsewhere, stay.
 */
function withoutOrigin(headers: readonly Header[]): readonly Header[] {
  const at = headers.findLastIndex(({ name }) => name === DeadLetterHeader.topic);
  return headers.filter(({ name }, index) => index < at || !name.startsWith(deadLetterPrefix));
}

/** One entry per topic and reason, with the first one's words. */
function noteRefusal(stayed: Map<string, RedriveRefusal>, { code, message, details }: BrokerError): void {
  const topic = details.topic ?? '';
  const id = `${code} ${topic}`;
  const known = stayed.get(id) ?? { topic, code, message, count: 0 };
  stayed.set(id, { ...known, count: known.count + 1 });
}
