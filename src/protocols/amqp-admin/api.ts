import type { Hall } from '../connections/index.ts';
import type { KeptUsers, ManagedAmqp } from '../amqp/index.ts';
import type { Users } from '../users/index.ts';
import type { ServerNode } from './server-node.ts';

/** What the routes of the management API work on. */
export interface Api {
  readonly amqp: ManagedAmqp;
  readonly users: Users;
  /** The users that clients of the management API have made. */
  readonly kept: KeptUsers;
  readonly hall: Hall;
  readonly node: ServerNode;
}
