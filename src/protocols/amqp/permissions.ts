import type { TopicAction } from '../users/index.ts';
import { AmqpError, virtualHost } from './errors.ts';
import type { Session } from './session.ts';

/** RabbitMQ's permissions, and what they are here. */
const actions: { readonly [P in Permission]: TopicAction } = {
  configure: 'manage',
  write: 'publish',
  read: 'consume',
};
export type Permission = 'configure' | 'write' | 'read';

/** Throws ACCESS_REFUSED if the user of a connection may not do this with a queue or an exchange. */
export function checkPermission(
  session: Session,
  permission: Permission,
  kind: 'queue' | 'exchange',
  name: string,
): void {
  if (session.access.may(actions[permission], name)) return;
  throw new AmqpError(
    'ACCESS_REFUSED',
    `${permission} access to ${kind} '${name}' in vhost '${virtualHost}' refused for user '${session.userName}'`,
  );
}
