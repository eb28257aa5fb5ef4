export { KafkaFrontend, type KafkaEvent, type KafkaOptions } from './kafka-frontend.ts';
export type { AutoCreation, Endpoint } from './kafka-host.ts';
export { parseKafkaSettings } from './kafka-settings.ts';
export { defaultLimits, kafkaLimits, type KafkaLimits } from './limits.ts';
export type { KafkaConnectionInfo } from './session.ts';
