import type { Router } from '../../broker/index.ts';
import type { Clock } from '../../util/index.ts';
import type { ServerInfo } from '../../wire/nats/index.ts';
import type { AnswerRoom, Flusher, LoginThrottle, Turns } from '../connections/index.ts';
import type { Users } from '../users/index.ts';
import type { JetStream } from './jetstream-door.ts';
import type { NatsLimits } from './limits.ts';
import type { CloseReason, Session } from './session.ts';

/** A session host has what all sessions of a frontend share. */
export interface SessionHost {
  readonly router: Router;
  readonly jetStream: JetStream | undefined;
  readonly clock: Clock;
  readonly flusher: Flusher;
  readonly turns: Turns;
  /** The room for unread output. */
  readonly room: AnswerRoom;
  readonly logins: LoginThrottle;
  /** The buffer that every connection is read into. */
  readonly readBuffer: Buffer;
  readonly limits: NatsLimits;
  readonly users: Users;
  /** INFO without the members that differ between clients. */
  readonly info: ServerInfo;
  /** Called when a session ends. */
  closing(session: Session, reason: CloseReason): void;
  /** Called when the socket of a session has closed. */
  gone(session: Session): void;
}
