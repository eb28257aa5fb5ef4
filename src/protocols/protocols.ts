import { amqp } from './amqp/protocol.ts';
import { amqpAdmin } from './amqp-admin/protocol.ts';
import { kafka } from './kafka/protocol.ts';
import { nats } from './nats/protocol.ts';
import type { Protocol } from './protocol.ts';
import { sqs } from './sqs/protocol.ts';
import type { CommonSettings, ProtocolName, ProtocolSettings } from './settings.ts';

/** A protocol of the table, without its settings: one table of its own has the settings of all protocols. */
export type AnyProtocol = Omit<
  Protocol<unknown, ProtocolSettings & CommonSettings, ProtocolName>,
  'settings'
>;

/** The table of protocols: the server, the command line and the settings iterate over it and name none. */
export const protocols: readonly AnyProtocol[] = [nats, kafka, amqp, amqpAdmin, sqs];
