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

/** The findings and steps of a repair, or of its rehearsal. */
export interface RepairReport {
  /** The damage and the losses, in sentences. Afterwards the quarantine has copies of all damaged data. */
  readonly findings: readonly string[];
  /** Other changes, in sentences. */
  readonly steps: readonly string[];
  /** The number of readable topics and messages afterwards. */
  readonly topics: number;
  readonly messages: number;
  /** Why the broker would still not start. */
  readonly problem: string | undefined;
}

/**
 * Repairs a stopped data directory. Restores its identity, starts a broker on it, which sets damaged data
 * aside, makes topics of partitions whose definition is lost, reads all batches, and stops the broker
 * cleanly. Nothing is deleted: damaged data moves to the quarantine.
 *
 * Rejects with a LogError if the directory is in use, read-only, of another program, or in a newer format.
 */
async function repairDirectory(files: Files, dir: string): Promise<RepairReport> {
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

/** The report that {@link repairDirectory} would give, without changing anything. */
export async function rehearseRepair(dir: string): Promise<RepairReport> {
  return repairDirectory(await OverlayFiles.over(new RealFiles(), dir), dir);
}

/** Repairs the directory for real. */
export function executeRepair(dir: string): Promise<RepairReport> {
  return repairDirectory(new RealFiles(), dir);
}

/** The items that any run has set aside in a data directory. */
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

/** Errors that say that the directory cannot be repaired at all, not now, or not by this program. */
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

/** Reads all batches, so that all damage is found; resolves to the number of messages. */
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
