import type { Timer } from '../util/index.ts';
import type { Assembly } from './assemble.ts';

/** At most so long does the start wait for age limits; what they have left to remove goes after it. */
const removeAgedMsMax = 1000;

/** After the journal was replayed: makes good for what it cannot say, and lets the broker begin. */
export async function recover(parts: Assembly): Promise<void> {
  const { catalog, condition, definitions, log } = parts;
  // Definitions were lost; a new partition must not get old messages.
  catalog.noteIds(...log.orphans);
  parts.lose(condition.lost);
  parts.replay.recovered();
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
  parts.transactions.resume();
  parts.delayed.schedule.resume();
  parts.compactor.start();
  for (const topic of catalog.topics.values()) topic.resume();
}

/** Age limits and keys under way hold before the first client asks; the journal does not tell of them. */
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
