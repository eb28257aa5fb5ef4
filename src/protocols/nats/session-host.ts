import type { Router } from '../../broker/index.ts';
import type { Clock } from '../../util/index.ts';
import type { ServerInfo } from '../../wire/nats/index.ts';
import type { AnswerRoom, Flusher, LoginThrottle, Turns } from '../connections/index.ts';
import type { Users } from '../users/index.ts';
import type { JetStream } from './jetstream-door.ts';
import type { NatsLimits } from './limits.ts';
import type { CloseReason, Session } from './session.ts';

/** A session host is what all sessions of a frontend share. */
export interface SessionHost {
  readonly router: Router;
  readonly jetStream: JetStream | undefined;
  readonly clock: Clock;
  readonly flusher: Flusher;
  readonly turns: Turns;
  /** For output that waits to be read. */
  readonly room: AnswerRoom;
  readonly logins: LoginThrottle;
  /** What every connection is read into. */
  readonly readBuffer: Buffer;
  readonly limits: NatsLimits;
  readonly users: Users;
  /** INFO but for what differs from client to client. */
  readonly info: ServerInfo;
  /** The session ends; its subscriptions are gone. */
  closing(session: Session, reason: CloseReason): void;
  /** Its socket is closed. */
  gone(session: Session): void;
}
