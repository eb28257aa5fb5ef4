import { mayEnter, virtualHost, type Actor, type VirtualHost } from '../amqp/index.ts';
import type { RouteParams } from '../http/index.ts';
import type { Api } from './api.ts';
import { isAdministrator, type Caller } from './caller.ts';
import { ApiError, objectNotFound } from './errors.ts';

/** The part of a request that says which virtual hosts it is about. */
interface Asked {
  readonly caller: Caller;
  readonly params: RouteParams;
}

/** The virtual hosts that a caller may see, by name. */
export function visibleHosts({ amqp }: Api, caller: Caller): readonly VirtualHost[] {
  return [...amqp.virtualHosts.all()]
    .filter((host) => isVisible(host, caller))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function isVisible({ queues }: VirtualHost, caller: Caller): boolean {
  return isAdministrator(caller) || mayEnter(caller.access, queues.names);
}

/** The virtual hosts of a list: the one in the path, or all. Throws an ApiError if it is not there. */
export function hostsOf(asked: Asked, api: Api): readonly VirtualHost[] {
  return asked.params['vhost'] === undefined ? visibleHosts(api, asked.caller) : [hostOf(asked, api)];
}

/** The virtual host in the path. Throws an ApiError if there is none that the caller may see. */
export function hostOf({ caller, params }: Asked, { amqp }: Api): VirtualHost {
  const host = amqp.virtualHosts.get(params['vhost'] ?? virtualHost);
  if (!host || !isVisible(host, caller)) throw objectNotFound();
  return host;
}

/** The virtual host in the path, in which something is to be made. Throws an ApiError. */
export function hostForNew({ caller, params }: Asked, { amqp }: Api): VirtualHost {
  const host = amqp.virtualHosts.get(params['vhost'] ?? virtualHost);
  if (!host || !isVisible(host, caller)) throw new ApiError(404, 'not_found', 'vhost_not_found');
  return host;
}

/** The caller in a virtual host, whose names its permissions are about. */
export function actorIn({ queues: { names } }: VirtualHost, { userName, access }: Caller): Actor {
  return { userName, access, names };
}
