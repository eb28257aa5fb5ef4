export type { Binding, Destination } from './binding.ts';
export { delayOf, withDelayOver } from './delayed-exchange.ts';
export { Exchange, type ExchangeDefinition } from './exchange.ts';
export { Exchanges } from './exchanges.ts';
export { sameValue } from './headers-routing.ts';
export { RoutingBudget, routingLimit } from './routing-budget.ts';
export type { Route } from './route.ts';
export { exchangeTypeOf, exchangeTypes } from './routing.ts';
