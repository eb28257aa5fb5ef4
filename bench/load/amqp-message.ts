import {
  contentSize,
  encodeProperties,
  methodFrame,
  methods,
  writeContent,
} from '../../src/wire/amqp/index.ts';
import { channel, frameBytesMax } from './amqp-socket.ts';

/** The frames of one persistent message. */
export function encodeMessage(exchange: string, routingKey: string, payloadBytes: number): Buffer {
  const method = { reserved1: 0, exchange, routingKey, mandatory: false, immediate: false };
  const properties = encodeProperties({ deliveryMode: 2 });
  const content = Buffer.alloc(contentSize(properties.length, payloadBytes, frameBytesMax));
  const body = Buffer.alloc(payloadBytes, 'x');
  const parts = { properties, body, bodyStart: 0, bodyEnd: payloadBytes };
  writeContent(content, 0, channel, parts, frameBytesMax);
  return Buffer.concat([methodFrame(channel, methods.basic.publish, method), content]);
}
