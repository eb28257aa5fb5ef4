export type { KafkaAuth, KafkaUser } from './auth.ts';
export { KafkaFrontend, type ConnectionInfo, type KafkaEvent, type KafkaOptions } from './kafka-frontend.ts';
export type { AutoCreation, Endpoint } from './kafka-host.ts';
export { defaultLimits, kafkaLimits, type KafkaLimits } from './limits.ts';
export type { KafkaTls } from './tls.ts';
