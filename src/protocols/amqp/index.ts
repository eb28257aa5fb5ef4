export { AmqpFrontend, type AmqpEvent, type AmqpOptions } from './amqp-frontend.ts';
export { amqpLimits } from './limits.ts';
export type { Channel } from './channel.ts';
export type { AmqpConsumer } from './consumer.ts';
export { handedOverParts } from './delivery-writer.ts';
export { AmqpError, amqpError, virtualHost } from './errors.ts';
export {
  exchangeTypeOf,
  exchangeTypes,
  type Binding,
  type Destination,
  type Exchange,
  type ExchangeDefinition,
} from './exchanges/index.ts';
export { checkEquivalent as checkEquivalentExchange, checkNotDefault } from './handlers/exchange.ts';
export { countOf } from './handlers/queue.ts';
export { KeptUsers, type KeptUser } from './kept-users.ts';
export type { ManagedAmqp, ManagedConnection } from './managed.ts';
export { rulesOfPattern, type PermissionPatterns } from './permission-pattern.ts';
export {
  policyTargets,
  problemOfDefinition,
  type Policy,
  type PolicyDefinition,
  type PolicyKind,
  type PolicyTable,
  type PolicyTarget,
} from './policies/index.ts';
export { checkDefinition } from './queue-policies.ts';
export { checkPermission, mayEnter, type Actor } from './permissions.ts';
export { definitionOf, policyNamesOf } from './queue-definition.ts';
export { checkNoStream, checkReserved } from './queues.ts';
export { namePattern } from './name-pattern.ts';
export { rabbitVersion } from './server-properties.ts';
export { publishSingle } from './single-publish.ts';
export { problemOfPermissions, type VhostPermissions } from './vhost-permissions.ts';
export { type VirtualHost } from './vhosts/index.ts';
