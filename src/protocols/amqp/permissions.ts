import type { Access, TopicAction } from '../users/index.ts';
import { AmqpError } from './errors.ts';
import { plainNames, type VhostNames } from './vhosts/vhost-names.ts';

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
  /** The names of the virtual host that the actor is in; absent: those of `/`. */
  readonly names?: VhostNames;
}

/** Whether a user may open a connection in a virtual host: it may do something with some name there. */
export function mayEnter(access: Access, { prefix }: VhostNames): boolean {
  return prefix === '' || access.mayBelow(prefix);
}

/** Throws ACCESS_REFUSED if the actor may not do this with a queue or an exchange. */
export function checkPermission(
  { access, userName, names = plainNames }: Actor,
  permission: Permission,
  kind: 'queue' | 'exchange',
  name: string,
): void {
  if (access.may(actions[permission], names.guardedName(name))) return;
  throw new AmqpError(
    'ACCESS_REFUSED',
    `${permission} access to ${kind} '${name}' in vhost '${names.vhost}' refused for user '${userName}'`,
  );
}
