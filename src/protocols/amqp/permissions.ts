import type { Access, TopicAction } from '../users/index.ts';
import { AmqpError, virtualHost } from './errors.ts';

/** RabbitMQ's permissions, and what they are here. */
const actions: { readonly [P in Permission]: TopicAction } = {
  configure: 'manage',
  write: 'publish',
  read: 'consume',
};
export type Permission = 'configure' | 'write' | 'read';

/** Whoever acts: the user of a connection, or of a request of the management API. */
export interface Actor {
  readonly access: Access;
  readonly userName: string;
}

/** Throws ACCESS_REFUSED if the actor may not do this with a queue or an exchange. */
export function checkPermission(
  { access, userName }: Actor,
  permission: Permission,
  kind: 'queue' | 'exchange',
  name: string,
): void {
  if (access.may(actions[permission], name)) return;
  throw new AmqpError(
    'ACCESS_REFUSED',
    `${permission} access to ${kind} '${name}' in vhost '${virtualHost}' refused for user '${userName}'`,
  );
}
