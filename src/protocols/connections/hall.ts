import type { Partition } from '../../broker/index.ts';
import type { Clock } from '../../util/index.ts';
import { AnswerRoom, answerRoomBytes } from './answer-room.ts';
import { LoginThrottle } from './login-throttle.ts';
import { Refusals } from './refusals.ts';
import { ConnectionRegistry } from './registry.ts';
import { Turns } from './turns.ts';

export interface HallOptions {
  /** Connections of all protocols together. Default: no limit beyond those of each protocol. */
  readonly connectionsMax?: number;
  /** Bytes of output that may wait to be read, over all connections: see AnswerRoom. */
  readonly unreadBytesMax?: number;
  /**
   * While those bytes are used up, a connection that has been behind for this long is closed. Default: 2 s.
   */
  readonly behindMsMax?: number;
  /** See LoginThrottle. Default: 10 s. */
  readonly loginDelayMsMax?: number;
}

export type BatchesRead = (
  partition: Partition,
  fromOffset: number,
  buffers: readonly Uint8Array[],
  protocol: string,
) => void;

/**
 * The hall holds what all protocols of a server share: the registry of connections, their turns, refusals,
 * logins, and the room for unread output.
 */
export class Hall {
  readonly clock: Clock;
  readonly registry: ConnectionRegistry;
  readonly turns: Turns;
  readonly refusals: Refusals;
  readonly logins: LoginThrottle;
  readonly room: AnswerRoom;
  /** Is told of batches that a client reads by itself, from an offset on. Undefined: no one wants to know. */
  batchesRead: BatchesRead | undefined = undefined;

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
