import type { SavedMemory } from './alarm-file.ts';
import { type GroupMemory, newGroupMemory, type Now } from './group-readings.ts';
import { newTopicMemory, type TopicMemory } from './topic-readings.ts';

// What topics and groups remember is by the monotonic clock, which begins anew with each run, so it is saved
// by the wall clock. Time goes on while the broker is stopped.

export function saveGroupMemory(memory: GroupMemory, now: Now): SavedMemory {
  const wall = (ms: number): number => now.wallMs - (now.monotonicMs - ms);
  const { growth, failures, aliveMs, oldestAgeMs } = memory;
  return {
    kind: 'group',
    aliveMs: wall(aliveMs),
    oldestAgeMs: oldestAgeMs ?? null,
    growth: growth ? { ...growth, fromMs: wall(growth.fromMs), peakMs: wall(growth.peakMs) } : null,
    failures: failures ?? null,
  };
}

export function saveTopicMemory({ letters, deadLettered }: TopicMemory, now: Now): SavedMemory | null {
  if (!letters) return null;
  return {
    kind: 'topic',
    letters: deadLettered - letters.from,
    sinceMs: letters.sinceMs,
    lastMs: now.wallMs - (now.monotonicMs - letters.lastMs),
  };
}

export function restoreGroupMemory(saved: SavedMemory | null, now: Now): GroupMemory {
  const memory = newGroupMemory(now.monotonicMs);
  if (saved?.kind !== 'group') return memory;
  const { aliveMs, oldestAgeMs, growth, failures } = saved;
  memory.aliveMs = monotonic(aliveMs, now);
  memory.oldestAgeMs = oldestAgeMs ?? undefined;
  memory.failures = failures ?? undefined;
  // The peak is not older than the start: a group has a minute to grow further.
  if (growth) memory.growth = { ...growth, fromMs: monotonic(growth.fromMs, now), peakMs: now.monotonicMs };
  return memory;
}

/** The counter of dead letters begins at 0 again, so those before the restart are below it. */
export function restoreTopicMemory(saved: SavedMemory | null, now: Now): TopicMemory {
  const memory = newTopicMemory();
  if (saved?.kind === 'topic') {
    const { letters, sinceMs, lastMs } = saved;
    memory.letters = { from: -letters, sinceMs, lastMs: monotonic(lastMs, now) };
  }
  return memory;
}

/** A clock that was set back meanwhile makes no time of the future. */
function monotonic(wallMs: number, now: Now): number {
  return now.monotonicMs - Math.max(0, now.wallMs - wallMs);
}
