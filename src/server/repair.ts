import {
  Broker,
  LogError,
  OverlayFiles,
  RealFiles,
  listQuarantine,
  repairIdentity,
  type DamageReport,
  type Files,
  type Partition,
  type QuarantinedItem,
} from '../broker/index.ts';
import { SystemClock, SystemRandom } from '../util/index.ts';
import { messageOf } from './errors.ts';

/** What a repair found and did, or would do. */
export interface RepairReport {
  /**
   * What is damaged and what that costs, in sentences; copies of all of it stand in the quarantine
   * afterwards.
   */
  readonly findings: readonly string[];
  /** What is changed beyond that, in sentences. */
  readonly steps: readonly string[];
  /** What can be read afterwards. */
  readonly topics: number;
  readonly messages: number;
  /** Why the broker would not start even so. */
  readonly problem: string | undefined;
}

/**
 * Repairs a stopped data directory: gives it back an identity, starts a broker on it, which sets aside what
 * is damaged, makes topics of partitions whose definition is lost, reads everything there is, and stops it
 * cleanly. Nothing is deleted: what is damaged moves to the quarantine.
 *
 * Rejects with a LogError when the directory is in use, not ours, or from the future.
 */
export async function repairDirectory(files: Files, dir: string): Promise<RepairReport> {
  const steps: string[] = [];
  const identity = await withLock(files, dir, () =>
    repairIdentity(files, dir, new SystemClock(), new SystemRandom()),
  );
  if (identity) steps.push(identitySentence(identity.from, identity.quarantined));
  const damage: DamageReport[] = [];
  let broker: Broker;
  try {
    broker = await Broker.open({ dir, files, onDamaged: (report) => damage.push(report) });
  } catch (error) {
    if (error instanceof LogError && isRefusal(error)) throw error;
    return {
      findings: damage.map(({ message }) => message),
      steps,
      topics: 0,
      messages: 0,
      problem: messageOf(error),
    };
  }
  const names = new Map<number, string>();
  let messages = 0;
  try {
    for (const orphan of broker.orphans) {
      const name = freeName(broker, `recovered-${orphan}`);
      await broker.adopt(orphan, name);
      steps.push(
        `Partition ${orphan} has messages, and nothing says which topic they are of: they become topic "${name}".`,
      );
    }
    for (const topic of broker.topics.values()) {
      for (const partition of topic.partitions.opened.slice()) {
        names.set(partition.log.id, `topic "${topic.name}", partition ${partition.index}`);
        messages += await readThrough(partition);
      }
    }
    await broker.checkpoint();
  } finally {
    await broker.close();
  }
  const findings = damage.map(({ message, partitionId }) => {
    const where = partitionId === undefined ? undefined : names.get(partitionId);
    return where === undefined ? message : `${message} (Partition ${partitionId} is ${where}.)`;
  });
  return { findings, steps, topics: broker.topics.size, messages, problem: undefined };
}

/** The same without touching anything: what {@link repairDirectory} would say. */
export async function rehearseRepair(dir: string): Promise<RepairReport> {
  return repairDirectory(await OverlayFiles.over(new RealFiles(), dir), dir);
}

/** Does it. */
export function executeRepair(dir: string): Promise<RepairReport> {
  return repairDirectory(new RealFiles(), dir);
}

/** What was set aside in a data directory, by any run. */
export function setAsideIn(dir: string): Promise<QuarantinedItem[]> {
  return listQuarantine(new RealFiles(), dir);
}

async function withLock<T>(files: Files, dir: string, run: () => Promise<T>): Promise<T> {
  const lock = await files.lock(dir);
  try {
    return await run();
  } finally {
    await lock.release();
  }
}

/** Errors that say that this is no directory to be repaired, or not now, or not by this program. */
function isRefusal({ code }: LogError): boolean {
  return (
    code === 'data-dir-locked' ||
    code === 'data-dir-foreign' ||
    code === 'format-newer' ||
    code === 'data-dir-read-only'
  );
}

function identitySentence(from: 'checkpoint' | 'tag' | 'nowhere', quarantined: string | undefined): string {
  const what =
    quarantined === undefined
      ? 'The identity is missing and is made anew'
      : `The identity is damaged: it is set aside as ${quarantined} and made anew`;
  if (from === 'checkpoint') return `${what} from a checkpoint.`;
  if (from === 'tag')
    return `${what} from the tag of the journal's commits; checkpoints, if any are left, are not known any more.`;
  return `${what}; nothing says what it was, so that checkpoints and journal are not known any more.`;
}

function freeName(broker: Broker, name: string): string {
  let free = name;
  for (let i = 2; broker.topic(free); i++) free = `${name}-${i}`;
  return free;
}

/** Reads every batch, so that all damage is found; says how many messages there are. */
async function readThrough(partition: Partition): Promise<number> {
  const { log } = partition;
  let messages = 0;
  for (let at = log.startOffset; at < log.durableEnd;) {
    const batch = await partition.batchAt(at);
    if (!batch) break;
    if (partition.liveIn(batch.baseOffset, batch.endOffset) > 0)
      messages += Math.min(batch.count, partition.liveIn(Math.max(at, batch.baseOffset), batch.endOffset));
    at = batch.endOffset;
  }
  return messages;
}
