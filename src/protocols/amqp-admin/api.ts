import type { Hall } from '../connections/index.ts';
import type { ManagedAmqp } from '../amqp/index.ts';
import type { Users } from '../users/index.ts';
import type { ServerNode } from './server-node.ts';

/** What the routes of the management API work on. */
export interface Api {
  readonly amqp: ManagedAmqp;
  readonly users: Users;
  readonly hall: Hall;
  readonly node: ServerNode;
}
