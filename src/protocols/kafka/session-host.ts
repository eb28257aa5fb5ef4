import type { AnswerRoom, LoginThrottle, Turns } from '../connections/index.ts';
import type { Endpoint, KafkaHost } from './kafka-host.ts';
import type { Users } from '../users/index.ts';
import type { Authorizer, PrincipalMapping } from './security/index.ts';
import type { CloseReason, Session } from './session.ts';

/** The services that the frontend offers to sessions. */
export interface SessionHost {
  readonly kafka: KafkaHost;
  readonly users: Users;
  /** Decides the rights of clients. */
  readonly authorizer: Authorizer;
  readonly principals: PrincipalMapping;
  readonly answerRoom: AnswerRoom;
  readonly turns: Turns;
  readonly logins: LoginThrottle;
  /** The buffer into which all connections are read. */
  readonly readBuffer: Buffer;
  /** The address given to clients to connect to; undefined for the address by which each client connected. */
  readonly advertised: Endpoint | undefined;
  closing(session: Session, reason: CloseReason): void;
  /** Called when the socket is closed. */
  gone(session: Session): void;
}
