import { failureKind } from './failure.ts';
import { idHeader } from '../inbox/index.ts';
import type { Publisher, RelayedOptions } from './publisher.ts';
import type { OutboxRow } from './row.ts';

/** A publish of a round that failed. */
export interface RoundFailure {
  readonly row: OutboxRow;
  readonly error: unknown;
  /** Whether it counts against the row; otherwise its topic cannot be published to now. */
  readonly isOfRow: boolean;
}

export interface RoundOutcome {
  readonly published: readonly OutboxRow[];
  /** How many of these the target had already. */
  readonly duplicates: number;
  /** At most one for each key, the first of it. */
  readonly failures: readonly RoundFailure[];
}

/**
 * Publishes rows. Those of one key go one after another, so that none overtakes one that failed; keys, and
 * rows without a key, go side by side.
 */
export async function publishRound(
  rows: readonly OutboxRow[],
  publisherOf: (topic: string) => Promise<Publisher>,
): Promise<RoundOutcome> {
  const published: OutboxRow[] = [];
  const failed: { row: OutboxRow; error: unknown }[] = [];
  const ofTopics = new Set<string>();
  let duplicates = 0;
  const run = async (lane: readonly OutboxRow[]): Promise<void> => {
    for (const row of lane) {
      try {
        const publisher = await publisherOf(row.topic);
        if ((await publisher.publish(row.value, optionsOf(row))).duplicate) duplicates++;
      } catch (error) {
        failed.push({ row, error });
        return;
      }
      published.push(row);
      ofTopics.add(row.topic);
    }
  };
  await Promise.all(lanesOf(rows).map(run));
  // An error that nobody knows counts against the row only if others of its topic could be published.
  const failures = failed.map(({ row, error }): RoundFailure => {
    const kind = failureKind(error);
    return { row, error, isOfRow: kind === 'message' || (kind === 'unknown' && ofTopics.has(row.topic)) };
  });
  return { published, duplicates, failures };
}

function lanesOf(rows: readonly OutboxRow[]): readonly OutboxRow[][] {
  const lanes = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const name = row.key === null ? `${row.seq}` : JSON.stringify([row.topic, row.key]);
    const lane = lanes.get(name);
    if (lane) lane.push(row);
    else lanes.set(name, [row]);
  }
  return [...lanes.values()];
}

function optionsOf({ id, key, options }: OutboxRow): RelayedOptions {
  const { headers = [], ...others } = options;
  return { ...others, ...(key === null ? {} : { key }), dedupeId: id, headers: [...headers, [idHeader, id]] };
}
