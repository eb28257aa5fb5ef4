import type { Timer } from '../util/index.ts';
import type { Assembly } from './assemble.ts';

/**
 * The start waits at most this long for age limits. Older messages that are left by then are removed after
 * the start.
 */
const removeAgedMsMax = 1000;

/**
 * Runs after the replay of the journal: restores the state that the journal does not contain, and starts the
 * broker.
 */
export async function recover(parts: Assembly): Promise<void> {
  const { catalog, condition, definitions, log } = parts;
  // If definitions were lost, the ids of their partitions are not reused: a new partition must not get old
  // messages.
  catalog.noteIds(...log.orphans);
  parts.lose(condition.lost);
  parts.replay.recovered();
  await parts.schedules.recovered();
  for (const topic of catalog.topics.values()) {
    for (const partition of topic.partitions.opened.slice()) {
      const isStale = partition.accounting.size > 0;
      await partition.accounting.run().catch(() => undefined); // tried again with the next commit
      for (const group of isStale ? topic.groups.values() : [])
        await group.recountRecovered(partition.index).catch(() => undefined);
      await partition.trackKeys(topic.config);
    }
    definitions.bind(topic);
  }
  await beforeClients(parts);
  await parts.watermarks.start();
  if (condition.failure) return; // the opening was rejected
  condition.isReady = true;
  parts.clockRecovered();
  parts.transactions.resume();
  parts.delayed.log.resume();
  parts.compactor.start();
  for (const topic of catalog.topics.values()) topic.resume();
  parts.schedules.resumeTimers();
}

/**
 * Applies age limits and restores the locks of keys before the first client connects, because the journal
 * does not record them.
 */
async function beforeClients({ catalog, clock }: Assembly): Promise<void> {
  const topics = [...catalog.topics.values()];
  let timer: Timer | undefined;
  const slow = new Promise<void>((resolve) => {
    timer = clock.setTimer(removeAgedMsMax, resolve);
  });
  await Promise.race([Promise.all(topics.map((topic) => topic.removeAged())), slow]);
  timer?.cancel();
  for (const topic of topics) for (const group of topic.groups.values()) await group.lockResumedKeys();
}
