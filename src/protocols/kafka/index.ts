export type { KafkaAuth } from './auth.ts';
export { KafkaFrontend, type KafkaEvent, type KafkaOptions } from './kafka-frontend.ts';
export type { AutoCreation, Endpoint } from './kafka-host.ts';
export { parseKafkaSettings } from './kafka-settings.ts';
export { defaultLimits, kafkaLimits, type KafkaLimits } from './limits.ts';
export type { KafkaUser } from './sasl.ts';
export type { KafkaConnectionInfo } from './session.ts';
