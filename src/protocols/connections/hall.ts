import type { Clock } from '../../util/index.ts';
import { Refusals } from './refusals.ts';
import { ConnectionRegistry } from './registry.ts';
import { Turns } from './turns.ts';

export interface HallOptions {
  /** Connections of all protocols together. Default: no limit beside those of each protocol. */
  readonly connectionsMax?: number;
}

/** The hall is what all protocols of a server share: the registry of connections, the turns they take, refusals. */
export class Hall {
  readonly registry: ConnectionRegistry;
  readonly turns: Turns;
  readonly refusals: Refusals;

  constructor(clock: Clock, { connectionsMax = Infinity }: HallOptions = {}) {
    this.registry = new ConnectionRegistry(connectionsMax);
    this.turns = new Turns(clock);
    this.refusals = new Refusals(clock);
  }
}
