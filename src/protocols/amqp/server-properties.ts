import type { FieldTable, FieldValue } from '../../wire/amqp/index.ts';

/**
 * The version of RabbitMQ that clients see: the one whose methods and errors are here. Some clients insist on
 * the product, and choose what they use by the version.
 */
export const rabbitVersion = '4.1.0';

/** The extensions that clients may use. */
const capabilities: FieldTable = new Map<string, FieldValue>(
  [
    'publisher_confirms',
    'exchange_exchange_bindings',
    'basic.nack',
    'consumer_cancel_notify',
    'connection.blocked',
    'authentication_failure_close',
    'per_consumer_qos',
    'consumer_priorities',
    'direct_reply_to',
  ].map((name) => [name, true]),
);

/** The server-properties of connection.start. */
export const serverProperties: FieldTable = new Map<string, FieldValue>([
  ['capabilities', capabilities],
  ['cluster_name', 'pillarbox'],
  ['product', 'RabbitMQ'],
  ['version', rabbitVersion],
  ['platform', `Node.js ${process.versions.node}`],
  ['information', 'Pillarbox, a broker that AMQP clients know as RabbitMQ'],
  ['pillarbox', true],
]);
