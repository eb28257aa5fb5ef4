import type {
  DeadLetterCauseJson,
  DeadLetterCausesJson,
  DeadLetterFilterJson,
} from '../../admin-api/index.ts';
import { deadLetterOrigin, type Header, type Record, type Topic } from '../../broker/index.ts';
import { type AdminContext, topicFor } from './context.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';

/** A look through dead letters ends after this time or this many, and says so. */
const lookMs = 2000;
const lettersMax = 100_000;
const causesMax = 200;
/** Records between two looks at the time. */
const stride = 256;

/** Dead letters by cause and origin, the most frequent first. */
export async function listDeadLetterCauses(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<DeadLetterCausesJson>> {
  const topic = topicFor('consume', request, context);
  const causes = new Map<string, DeadLetterCauseJson>();
  const isComplete = await eachLetter(topic, request.signal, (record, facts) => {
    const name = JSON.stringify([facts.cause, facts.topic, facts.group]);
    const known = causes.get(name);
    if (!known && causes.size >= causesMax) return;
    const { offset, timestampMs } = record;
    causes.set(name, {
      ...facts,
      count: (known?.count ?? 0) + 1,
      firstMs: Math.min(known?.firstMs ?? Infinity, timestampMs),
      lastMs: Math.max(known?.lastMs ?? 0, timestampMs),
      example: known?.example ?? offset,
    });
  });
  const sorted = [...causes.values()].sort((a, b) => b.count - a.count);
  return json({ causes: sorted, isComplete });
}

/** The offsets of the dead letters that a filter selects, at most `limit`, and whether all were looked at. */
export async function selectLetters(
  topic: Topic,
  filter: DeadLetterFilterJson,
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly offsets: number[]; readonly isComplete: boolean }> {
  const offsets: number[] = [];
  const isComplete = await eachLetter(topic, signal, (record, facts) => {
    if (offsets.length < limit && matches(facts, filter)) offsets.push(record.offset);
  });
  return { offsets, isComplete };
}

type Facts = Pick<DeadLetterCauseJson, 'cause' | 'topic' | 'group'>;

function matches({ cause, topic, group }: Facts, filter: DeadLetterFilterJson): boolean {
  return (
    (filter.cause === undefined || filter.cause === cause) &&
    (filter.topic === undefined || filter.topic === topic) &&
    (filter.group === undefined || filter.group === group)
  );
}

async function eachLetter(
  topic: Topic,
  signal: AbortSignal,
  look: (record: Record, facts: Facts) => void,
): Promise<boolean> {
  const deadlineMs = performance.now() + lookMs;
  let seen = 0;
  for (const partition of topic.partitions.opened.slice())
    for await (const record of partition.scan(partition.firstOffset)) {
      look(record, factsOf(record.headers));
      if (++seen >= lettersMax) return false;
      if (seen % stride === 0 && (signal.aborted || performance.now() > deadlineMs)) return false;
    }
  return true;
}

function factsOf(headers: readonly Header[]): Facts {
  const origin = deadLetterOrigin(headers);
  return {
    cause: origin?.cause ?? null,
    topic: origin?.topic ?? null,
    group: origin?.group ?? null,
  };
}
