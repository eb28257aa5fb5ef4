import type { ManagedAmqp, VirtualHost } from '../amqp/index.ts';
import { inTurns } from '../connections/index.ts';
import {
  countsOf,
  noCounts,
  noStats,
  statsOf,
  type MessageCounts,
  type MessageStats,
} from './message-figures.ts';
import { someQueues, type Asking } from './visible.ts';

/** The sums over the queues that a caller sees. */
export interface Totals {
  readonly queues: number;
  readonly messages: MessageCounts;
  readonly stats: MessageStats;
}

/** Adds up what the caller sees of each of these virtual hosts. */
export async function totalsOf(
  asking: Asking,
  amqp: ManagedAmqp,
  hosts: readonly VirtualHost[],
): Promise<ReadonlyMap<VirtualHost, Totals>> {
  const totals = new Map(hosts.map((host) => [host, new Sum()]));
  await inTurns(await someQueues(asking, amqp, hosts), asking.turns, ({ host, topic }) =>
    totals.get(host)!.add({ queues: 1, messages: countsOf(topic), stats: statsOf(topic) }),
  );
  return totals;
}

/** The totals of several virtual hosts together. */
export function sumOf(all: Iterable<Totals>): Totals {
  const sum = new Sum();
  for (const totals of all) sum.add(totals);
  return sum;
}

class Sum implements Totals {
  queues = 0;
  readonly messages = { ...noCounts };
  readonly stats = { ...noStats };

  add({ queues, messages, stats }: Totals): void {
    this.queues += queues;
    addTo(this.messages, messages);
    addTo(this.stats, stats);
  }
}

type Figures = { [name: string]: number | { readonly rate: number } };

/** Adds each figure, and each rate. */
function addTo(total: Figures, figures: Readonly<Figures>): void {
  for (const [name, value] of Object.entries(figures)) {
    const before = total[name];
    total[name] =
      typeof value === 'number'
        ? value + (typeof before === 'number' ? before : 0)
        : { rate: value.rate + (typeof before === 'object' ? before.rate : 0) };
  }
}
