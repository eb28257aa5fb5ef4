import { virtualHost } from '../amqp/index.ts';
import type { RouteParams } from '../http/index.ts';
import { ApiError, objectNotFound } from './errors.ts';

/** The names of the virtual hosts. */
export const virtualHosts: readonly string[] = [virtualHost];

/** Throws an ApiError if something is to be made in a virtual host that is not there. */
export function checkVirtualHost({ vhost = '' }: RouteParams): void {
  if (!virtualHosts.includes(vhost)) throw new ApiError(404, 'not_found', 'vhost_not_found');
}

/** The virtual host in the path of a request; undefined: all of them. Throws an ApiError if it is not there. */
export function virtualHostOf({ vhost }: RouteParams): string | undefined {
  if (vhost === undefined || virtualHosts.includes(vhost)) return vhost;
  throw objectNotFound();
}
