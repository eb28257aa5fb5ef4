import type { Clock } from '../../util/index.ts';
import { ConnectionRegistry } from './registry.ts';
import { Turns } from './turns.ts';

/** The hall is what all protocols of a server share: the registry of connections, and the turns they take. */
export class Hall {
  readonly registry: ConnectionRegistry = new ConnectionRegistry();
  readonly turns: Turns;

  constructor(clock: Clock) {
    this.turns = new Turns(clock);
  }
}
