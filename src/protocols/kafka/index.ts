export { KafkaFrontend, type KafkaEvent, type KafkaOptions } from './kafka-frontend.ts';
export { parseKafkaSettings } from './kafka-settings.ts';
