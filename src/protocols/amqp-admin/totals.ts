import type { ManagedAmqp, VirtualHost } from '../amqp/index.ts';
import type { Caller } from './caller.ts';
import {
  countsOf,
  noCounts,
  noStats,
  statsOf,
  type MessageCounts,
  type MessageStats,
} from './message-figures.ts';
import { visibleQueues } from './visible.ts';

/** The sums over the queues that a caller sees. */
export interface Totals {
  readonly queues: number;
  readonly messages: MessageCounts;
  readonly stats: MessageStats;
}

/** Adds up what the caller sees of these virtual hosts. */
export function totalsOf(amqp: ManagedAmqp, caller: Caller, hosts: readonly VirtualHost[]): Totals {
  const queues = visibleQueues(amqp, caller, hosts).map(({ topic }) => topic);
  return {
    queues: queues.length,
    messages: sum(noCounts, queues.map(countsOf)),
    stats: sum(noStats, queues.map(statsOf)),
  };
}

type Figures = { readonly [name: string]: number | { readonly rate: number } };

/** The sum of each figure, and of each rate. */
function sum<T extends Figures>(nothing: T, all: readonly T[]): T {
  const total: { [name: string]: number | { readonly rate: number } } = { ...nothing };
  for (const figures of all)
    for (const [name, value] of Object.entries(figures)) {
      const before = total[name];
      total[name] =
        typeof value === 'number'
          ? value + (typeof before === 'number' ? before : 0)
          : { rate: value.rate + (typeof before === 'object' ? before.rate : 0) };
    }
  return total as T;
}
