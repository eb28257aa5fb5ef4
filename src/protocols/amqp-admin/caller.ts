import type { Access } from '../users/index.ts';
import { notAuthorised } from './errors.ts';

/** The user that a client is taken for if it names none and need not. */
export const guest = 'guest';

/** The caller of a request: a user of AMQP. */
export interface Caller {
  readonly userName: string;
  readonly access: Access;
}

/** The tags of a user, which RabbitMQ keeps with it: here they follow from its permissions. */
export function tagsOf({ access }: Pick<Caller, 'access'>): readonly string[] {
  if (isAdministrator(access)) return ['administrator'];
  return access.mayConsume('*') ? ['monitoring'] : ['management'];
}

/** Whether a user may do everything: it manages all topics. */
export function isAdministrator(access: Access): boolean {
  return access.mayManage('*');
}

/** Throws an ApiError if the caller may not manage the server. */
export function checkAdministrator({ access }: Caller): void {
  if (!isAdministrator(access)) throw notAuthorised('Not administrator user');
}

/** Throws an ApiError if the caller may not see what others do. */
export function checkMonitor({ access }: Caller): void {
  if (!isAdministrator(access) && !access.mayConsume('*')) throw notAuthorised('Not monitor user');
}

/** Requests have no connection of AMQP, which alone could own a queue. */
export const noConnection = { closed: false } as const;
