import type { ConsumerInfo, Group } from '../../broker/index.ts';

/** A consumer counts as slow when it takes this many times as long as the median of its peers. */
const slowerBy = 10;
/** Groups with more consumers are not compared, because that would take long. */
const comparedMax = 1000;

/** The slowest client of a group: several consumers of one client are one. */
export interface Slowest {
  readonly name: string;
  readonly connection: number | undefined;
  readonly held: number;
  /** How long it has had the oldest of its messages, and the median of its peers, in milliseconds. */
  readonly heldMs: number;
  readonly peersMs: number;
}

/** The client of a group that is much slower than its peers; undefined if none is. */
export function slowestOf(group: Group, wallMs: number): Slowest | undefined {
  if (group.info().consumers > comparedMax) return undefined;
  // Without a second consumer that gets messages there is nothing to compare.
  if (group.config.activeConsumers === 'single') return undefined;
  const byClient = new Map<string, { of: ConsumerInfo; held: number; heldMs: number }>();
  for (const of of group.listConsumers()) {
    const name = nameOf(of);
    const heldMs = of.heldSinceMs === undefined ? 0 : Math.max(0, wallMs - of.heldSinceMs);
    const client = byClient.get(name);
    if (!client) byClient.set(name, { of, held: of.held, heldMs });
    else {
      client.held += of.held;
      client.heldMs = Math.max(client.heldMs, heldMs);
    }
  }
  const clients = [...byClient.entries()].sort(([, a], [, b]) => b.heldMs - a.heldMs);
  const [first, ...peers] = clients;
  if (!first || peers.length === 0) return undefined;
  const [name, { of, held, heldMs }] = first;
  const peersMs = peers[Math.floor(peers.length / 2)]?.[1].heldMs ?? 0;
  if (heldMs === 0 || heldMs < peersMs * slowerBy) return undefined;
  return { name, connection: of.connection, held, heldMs, peersMs };
}

function nameOf({ member, label, connection }: ConsumerInfo): string {
  return member ?? (connection === undefined ? (label ?? '') : `${label ?? ''} of connection ${connection}`);
}
