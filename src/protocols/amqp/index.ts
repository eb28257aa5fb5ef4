export { AmqpFrontend, type AmqpEvent, type AmqpOptions } from './amqp-frontend.ts';
export { amqpLimits, defaultLimits, type AmqpLimits } from './limits.ts';
export { RegularPattern } from './regular-pattern.ts';
export type { AmqpConnectionInfo } from './session.ts';
