import type { Clock } from '../../util/index.ts';
import { AnswerRoom, answerRoomBytes } from './answer-room.ts';
import { LoginThrottle } from './login-throttle.ts';
import { Refusals } from './refusals.ts';
import { ConnectionRegistry } from './registry.ts';
import { Turns } from './turns.ts';

export interface HallOptions {
  /** Connections of all protocols together. Default: no limit beside those of each protocol. */
  readonly connectionsMax?: number;
  /** Bytes of output that may wait to be read, of all connections together: see AnswerRoom. */
  readonly unreadBytesMax?: number;
  /** A connection that is behind with reading for so long is ended while these are used up. Default: 2 s. */
  readonly behindMsMax?: number;
  /** See LoginThrottle. Default: 10 s. */
  readonly loginDelayMsMax?: number;
}

/**
 * The hall is what all protocols of a server share: the registry of connections, the turns they take,
 * refusals, logins, and the room for output that nobody reads.
 */
export class Hall {
  readonly clock: Clock;
  readonly registry: ConnectionRegistry;
  readonly turns: Turns;
  readonly refusals: Refusals;
  readonly logins: LoginThrottle;
  readonly room: AnswerRoom;

  constructor(clock: Clock, options: HallOptions = {}) {
    const { connectionsMax = Infinity, loginDelayMsMax = 10_000, behindMsMax = 2_000 } = options;
    this.clock = clock;
    this.registry = new ConnectionRegistry(connectionsMax);
    this.turns = new Turns(clock);
    this.refusals = new Refusals(clock);
    this.logins = new LoginThrottle(clock, { delayMsMax: loginDelayMsMax });
    const bytesMax = options.unreadBytesMax ?? answerRoomBytes();
    this.room = new AnswerRoom(clock, { bytesMax, behindMsMax });
  }
}
