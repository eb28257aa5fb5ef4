import type { AnswerRoom, LoginThrottle, Turns } from '../connections/index.ts';
import type { Endpoint, KafkaHost } from './kafka-host.ts';
import type { Users } from '../users/index.ts';
import type { Authorizer, PrincipalMapping } from './security/index.ts';
import type { CloseReason, Session } from './session.ts';

/** What sessions need from the frontend around them. */
export interface SessionHost {
  readonly kafka: KafkaHost;
  readonly users: Users;
  /** What clients may do. */
  readonly authorizer: Authorizer;
  readonly principals: PrincipalMapping;
  readonly answerRoom: AnswerRoom;
  readonly turns: Turns;
  readonly logins: LoginThrottle;
  /** What all connections are read into. */
  readonly readBuffer: Buffer;
  /** Where clients are told to connect to; undefined: where each has connected to. */
  readonly advertised: Endpoint | undefined;
  closing(session: Session, reason: CloseReason): void;
  /** The socket is closed. */
  gone(session: Session): void;
}
