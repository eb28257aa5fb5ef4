import type { Access } from '../users/index.ts';
import { notAuthorised } from './errors.ts';

/** The user that a client is taken for if it names none and need not. */
export const guest = 'guest';

/** The caller of a request: a user of AMQP. */
export interface Caller {
  readonly userName: string;
  readonly access: Access;
  /** RabbitMQ's words for what the user may do besides its permissions. */
  readonly tags: readonly string[];
}

/** The tags of a user of the configuration, which has none: they follow from its permissions. */
export function tagsOfAccess(access: Access): readonly string[] {
  if (access.mayManage('*')) return ['administrator'];
  return access.mayConsume('*') ? ['monitoring'] : ['management'];
}

export function isAdministrator({ tags }: Pick<Caller, 'tags'>): boolean {
  return tags.includes('administrator');
}

/** Whether a caller may see what others do. */
export function isMonitor({ tags }: Pick<Caller, 'tags'>): boolean {
  return tags.includes('administrator') || tags.includes('monitoring');
}

/** Throws an ApiError if the caller may not use the management API. */
export function checkManager({ tags }: Caller): void {
  if (!managerTags.some((tag) => tags.includes(tag))) throw notAuthorised('Not management user');
}

const managerTags = ['administrator', 'monitoring', 'policymaker', 'management'];

/** Throws an ApiError if the caller may not manage the server. */
export function checkAdministrator(caller: Caller): void {
  if (!isAdministrator(caller)) throw notAuthorised('Not administrator user');
}

/** Throws an ApiError if the caller may not see and make policies. */
export function checkPolicymaker({ tags }: Caller): void {
  if (tags.includes('administrator') || tags.includes('policymaker')) return;
  throw notAuthorised('User not authorised to access object');
}

/** Throws an ApiError if the caller may not see what others do. */
export function checkMonitor(caller: Caller): void {
  if (!isMonitor(caller)) throw notAuthorised('Not monitor user');
}

/** Requests have no connection of AMQP, which alone could own a queue. */
export const noConnection = { closed: false } as const;
