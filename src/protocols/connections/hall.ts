import type { Clock } from '../../util/index.ts';
import { LoginThrottle } from './login-throttle.ts';
import { Refusals } from './refusals.ts';
import { ConnectionRegistry } from './registry.ts';
import { Turns } from './turns.ts';

export interface HallOptions {
  /** Connections of all protocols together. Default: no limit beside those of each protocol. */
  readonly connectionsMax?: number;
  /** See LoginThrottle. Default: 10 s. */
  readonly loginDelayMsMax?: number;
}

/**
 * The hall is what all protocols of a server share: the registry of connections, the turns they take,
 * refusals, logins.
 */
export class Hall {
  readonly clock: Clock;
  readonly registry: ConnectionRegistry;
  readonly turns: Turns;
  readonly refusals: Refusals;
  readonly logins: LoginThrottle;

  constructor(clock: Clock, { connectionsMax = Infinity, loginDelayMsMax = 10_000 }: HallOptions = {}) {
    this.clock = clock;
    this.registry = new ConnectionRegistry(connectionsMax);
    this.turns = new Turns(clock);
    this.refusals = new Refusals(clock);
    this.logins = new LoginThrottle(clock, { delayMsMax: loginDelayMsMax });
  }
}
