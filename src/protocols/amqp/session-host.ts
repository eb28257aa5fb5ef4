import type { Broker } from '../../broker/index.ts';
import type { Clock } from '../../util/index.ts';
import type { AnswerRoom, Flusher, LoginThrottle, Turns } from '../connections/index.ts';
import type { Users } from '../users/index.ts';
import type { Blockade } from './blockade.ts';
import type { CloseReason } from './close-reason.ts';
import type { DirectReplies } from './direct-replies.ts';
import type { Exchanges } from './exchanges/index.ts';
import type { AmqpLimits } from './limits.ts';
import type { PublishTargets } from './publish-targets.ts';
import type { Queues } from './queues.ts';
import type { Session } from './session.ts';

/** A session host has what all sessions in a virtual host share. */
export interface SessionHost {
  readonly broker: Broker;
  readonly exchanges: Exchanges;
  readonly queues: Queues;
  /** The targets of recent publishes in the virtual host. */
  readonly targets: PublishTargets;
  /** The host of the sessions in another virtual host; undefined if there is none of that name. */
  inVhost(name: string): SessionHost | undefined;
  readonly replies: DirectReplies;
  readonly blockade: Blockade;
  readonly clock: Clock;
  readonly flusher: Flusher;
  readonly turns: Turns;
  /** The room for unread output. */
  readonly room: AnswerRoom;
  readonly logins: LoginThrottle;
  /** The buffer that every connection is read into. */
  readonly readBuffer: Buffer;
  readonly limits: AmqpLimits;
  readonly users: Users;
  /** Whether clients are asked for a certificate, by which they can log in. */
  readonly asksForCertificates: boolean;
  /** Called when a session ends. */
  closing(session: Session, reason: CloseReason): void;
  /** Called when the socket of a session has closed. */
  gone(session: Session): void;
}
