export type { Binding, Destination } from './binding.ts';
export { delayOf, withDelayOver } from './delayed-exchange.ts';
export { Exchange, type ExchangeDefinition } from './exchange.ts';
export { Exchanges, type Route } from './exchanges.ts';
export { sameValue } from './headers-routing.ts';
export { exchangeTypes, type ExchangeType, type Routed } from './routing.ts';
