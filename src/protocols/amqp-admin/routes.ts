import type { Route } from '../http/index.ts';
import type { Api } from './api.ts';
import type { ApiReply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import * as bindingChanges from './resources/binding-changes.ts';
import * as bindings from './resources/bindings.ts';
import * as channels from './resources/channels.ts';
import * as connections from './resources/connections.ts';
import * as consumers from './resources/consumers.ts';
import * as definitionsImport from './resources/definitions-import.ts';
import * as definitions from './resources/definitions.ts';
import * as exchangeChanges from './resources/exchange-changes.ts';
import * as exchanges from './resources/exchanges.ts';
import * as health from './resources/health.ts';
import * as messages from './resources/messages.ts';
import * as overview from './resources/overview.ts';
import * as parameters from './resources/parameters.ts';
import { operatorPolicies, policies } from './resources/policies.ts';
import * as queueChanges from './resources/queue-changes.ts';
import * as queues from './resources/queues.ts';
import * as userChanges from './resources/user-changes.ts';
import * as users from './resources/users.ts';
import * as virtualHosts from './resources/virtual-hosts.ts';

/** Answers a request. Throws, or rejects with, an ApiError or an AmqpError. */
type Handle = (request: ApiRequest, api: Api) => ApiReply | Promise<ApiReply>;

interface ApiRoute extends Route {
  readonly handle: Handle;
}

/** The routes of the management API; docs/protocols/amqp-management.md has the same table for people. */
const table: { readonly [line: string]: Handle } = {
  'GET /api/overview': overview.overview,
  'GET /api/whoami': overview.whoami,
  'GET /api/cluster-name': overview.clusterName,
  'GET /api/extensions': overview.extensions,
  'GET /api/feature-flags': overview.nothing,
  'GET /api/nodes': overview.nodes,
  'GET /api/nodes/:node': overview.node,

  'GET /api/vhosts': virtualHosts.list,
  'GET /api/vhosts/:vhost': virtualHosts.show,
  'PUT /api/vhosts/:vhost': virtualHosts.create,
  'DELETE /api/vhosts/:vhost': virtualHosts.remove,

  'GET /api/queues': queues.list,
  'GET /api/queues/:vhost': queues.list,
  'GET /api/queues/:vhost/:queue': queues.show,
  'PUT /api/queues/:vhost/:queue': queueChanges.declare,
  'DELETE /api/queues/:vhost/:queue': queueChanges.remove,
  'GET /api/queues/:vhost/:queue/bindings': bindings.ofQueue,
  'DELETE /api/queues/:vhost/:queue/contents': queueChanges.purge,
  'POST /api/queues/:vhost/:queue/get': messages.get,

  'GET /api/exchanges': exchanges.list,
  'GET /api/exchanges/:vhost': exchanges.list,
  'GET /api/exchanges/:vhost/:exchange': exchanges.show,
  'PUT /api/exchanges/:vhost/:exchange': exchangeChanges.declare,
  'DELETE /api/exchanges/:vhost/:exchange': exchangeChanges.remove,
  'POST /api/exchanges/:vhost/:exchange/publish': messages.publish,
  'GET /api/exchanges/:vhost/:exchange/bindings/source': bindings.fromExchange,
  'GET /api/exchanges/:vhost/:exchange/bindings/destination': bindings.toExchange,

  'GET /api/bindings': bindings.list,
  'GET /api/bindings/:vhost': bindings.list,
  'GET /api/bindings/:vhost/e/:source/q/:queue': bindings.betweenEnds,
  'GET /api/bindings/:vhost/e/:source/e/:exchange': bindings.betweenEnds,
  'POST /api/bindings/:vhost/e/:source/q/:queue': bindingChanges.bind,
  'POST /api/bindings/:vhost/e/:source/e/:exchange': bindingChanges.bind,
  'GET /api/bindings/:vhost/e/:source/q/:queue/:properties': bindings.show,
  'GET /api/bindings/:vhost/e/:source/e/:exchange/:properties': bindings.show,
  'DELETE /api/bindings/:vhost/e/:source/q/:queue/:properties': bindingChanges.unbind,
  'DELETE /api/bindings/:vhost/e/:source/e/:exchange/:properties': bindingChanges.unbind,

  'GET /api/connections': connections.list,
  'GET /api/connections/:connection': connections.show,
  'DELETE /api/connections/:connection': connections.close,
  'GET /api/connections/:connection/channels': channels.ofConnection,
  'GET /api/vhosts/:vhost/connections': connections.list,
  'GET /api/channels': channels.list,
  'GET /api/channels/:channel': channels.show,
  'GET /api/vhosts/:vhost/channels': channels.list,
  'GET /api/consumers': consumers.list,
  'GET /api/consumers/:vhost': consumers.list,

  'GET /api/users': users.list,
  'GET /api/users/:user': users.show,
  'PUT /api/users/:user': userChanges.put,
  'DELETE /api/users/:user': userChanges.remove,
  'POST /api/users/bulk-delete': userChanges.removeAll,
  'GET /api/users/:user/permissions': users.permissionsOfUser,
  'GET /api/permissions': users.permissions,
  'GET /api/permissions/:vhost/:user': users.showPermissions,
  'PUT /api/permissions/:vhost/:user': userChanges.putPermissions,
  'DELETE /api/permissions/:vhost/:user': userChanges.removePermissions,
  'GET /api/vhosts/:vhost/permissions': users.permissions,
  'GET /api/policies': policies.list,
  'GET /api/policies/:vhost': policies.list,
  'GET /api/policies/:vhost/:policy': policies.show,
  'PUT /api/policies/:vhost/:policy': policies.put,
  'DELETE /api/policies/:vhost/:policy': policies.remove,
  'GET /api/operator-policies': operatorPolicies.list,
  'GET /api/operator-policies/:vhost': operatorPolicies.list,
  'GET /api/operator-policies/:vhost/:policy': operatorPolicies.show,
  'PUT /api/operator-policies/:vhost/:policy': operatorPolicies.put,
  'DELETE /api/operator-policies/:vhost/:policy': operatorPolicies.remove,
  'GET /api/parameters': parameters.list,
  'GET /api/parameters/:component': parameters.list,
  'GET /api/parameters/:component/:vhost': parameters.list,
  'GET /api/global-parameters': overview.nothing,
  'GET /api/vhost-limits': overview.nothing,
  'GET /api/deprecated-features': overview.nothing,

  'GET /api/definitions': definitions.exportAll,
  'POST /api/definitions': definitionsImport.importAll,
  'GET /api/definitions/:vhost': definitions.exportOne,
  'POST /api/definitions/:vhost': definitionsImport.importAll,

  'GET /api/aliveness-test/:vhost': health.alive,
  'GET /api/healthchecks/node': health.serves,
  'GET /api/healthchecks/node/:node': health.serves,
  'GET /api/health/checks/alarms': health.alarms,
  'GET /api/health/checks/local-alarms': health.alarms,
  'GET /api/health/checks/ready-to-serve-clients': health.serves,
  'GET /api/health/checks/is-in-service': health.serves,
  'GET /api/health/checks/virtual-hosts': health.serves,
  'GET /api/health/checks/node-is-quorum-critical': health.single,
  'GET /api/health/checks/node-is-mirror-sync-critical': health.single,
  'GET /api/health/checks/port-listener/:port': health.portListener,
  'GET /api/health/checks/protocol-listener/:protocol': health.protocolListener,
};

export const routes: readonly ApiRoute[] = Object.entries(table).map(([line, handle]) => {
  const [method = '', path = ''] = line.split(' ');
  return { method, path, handle };
});
