import {
  contentSize,
  encodeProperties,
  methodFrame,
  methods,
  protocolHeader,
  writeContent,
  type Arguments,
  type FieldTable,
  type FieldValue,
  type Properties,
} from '../../../src/wire/amqp/index.ts';

// The frames of AMQP clients, as bytes that need no answer on the way.

export const frameBytesMax = 131_072;
export const noArguments: FieldTable = new Map<string, FieldValue>();
const none = { reserved1: 0 } as const;

/** A login as a guest and a channel, sent without waiting for any answer. */
export function opening({
  user = 'guest',
  password = 'guest',
  virtualHost = '/',
  heartbeat = 0,
}: {
  readonly user?: string;
  readonly password?: string;
  readonly virtualHost?: string;
  readonly heartbeat?: number;
} = {}): Buffer {
  return Buffer.concat([
    protocolHeader,
    methodFrame(0, methods.connection.startOk, {
      clientProperties: new Map([['capabilities', new Map([['authentication_failure_close', true]])]]),
      mechanism: 'PLAIN',
      response: Buffer.from(`\0${user}\0${password}`),
      locale: 'en_US',
    }),
    methodFrame(0, methods.connection.tuneOk, { channelMax: 2047, frameMax: frameBytesMax, heartbeat }),
    methodFrame(0, methods.connection.open, { virtualHost, reserved1: '', reserved2: false }),
    openChannel(1),
  ]);
}

export const greeting: Buffer = opening();

export function openChannel(number: number): Buffer {
  return methodFrame(number, methods.channel.open, { reserved1: '' });
}

export const closeChannel: Buffer = methodFrame(1, methods.channel.close, {
  replyCode: 200,
  replyText: '',
  failedClass: 0,
  failedMethod: 0,
});

/** channel.close, channel.close-ok or connection.close, as they are in a stream of frames. */
export const endOfChannel: RegExp = new RegExp(
  String.raw`\x01[^]{6}(?:\x00\x14\x00[\x28\x29]|\x00\x0a\x00\x32)`,
);

export function declareQueue(
  queue: string,
  given: Partial<Arguments<typeof methods.queue.declare>> = {},
): Buffer {
  return methodFrame(1, methods.queue.declare, {
    ...none,
    queue,
    passive: false,
    durable: true,
    exclusive: false,
    autoDelete: false,
    noWait: true,
    arguments: noArguments,
    ...given,
  });
}

export function declareExchange(exchange: string, type: string): Buffer {
  return methodFrame(1, methods.exchange.declare, {
    ...none,
    exchange,
    type,
    passive: false,
    durable: true,
    autoDelete: false,
    internal: false,
    noWait: true,
    arguments: noArguments,
  });
}

export function deleteExchange(exchange: string): Buffer {
  return methodFrame(1, methods.exchange.delete, { ...none, exchange, ifUnused: false, noWait: true });
}

export function bindQueue(
  queue: string,
  exchange: string,
  routingKey: string,
  table: FieldTable = noArguments,
): Buffer {
  const binding = { ...none, queue, exchange, routingKey, noWait: true, arguments: table };
  return methodFrame(1, methods.queue.bind, binding);
}

export function bindExchange(source: string, destination: string, routingKey = ''): Buffer {
  const binding = { ...none, source, destination, routingKey, noWait: true, arguments: noArguments };
  return methodFrame(1, methods.exchange.bind, binding);
}

export function deleteQueue(queue: string): Buffer {
  return methodFrame(1, methods.queue.delete, {
    ...none,
    queue,
    ifUnused: false,
    ifEmpty: false,
    noWait: true,
  });
}

export function publish(
  exchange: string,
  routingKey: string,
  properties: Properties = {},
  body: Buffer = Buffer.alloc(0),
): Buffer {
  const target = { ...none, exchange, routingKey, mandatory: false, immediate: false };
  const encoded = encodeProperties(properties);
  const content = Buffer.alloc(contentSize(encoded.length, body.length, frameBytesMax));
  const parts = { properties: encoded, body, bodyStart: 0, bodyEnd: body.length };
  writeContent(content, 0, 1, parts, frameBytesMax);
  return Buffer.concat([methodFrame(1, methods.basic.publish, target), content]);
}

export function consume(
  queue: string,
  consumerTag: string,
  given: Partial<Arguments<typeof methods.basic.consume>> = {},
): Buffer {
  return methodFrame(1, methods.basic.consume, {
    ...none,
    queue,
    consumerTag,
    noLocal: false,
    noAck: false,
    exclusive: false,
    noWait: true,
    arguments: noArguments,
    ...given,
  });
}

export function get(queue: string, noAck = false): Buffer {
  return methodFrame(1, methods.basic.get, { ...none, queue, noAck });
}

/** The same bytes so many times. */
export function times(count: number, bytes: Buffer): Buffer {
  return Buffer.alloc(count * bytes.length, bytes);
}

/** So many that differ. */
export function each(count: number, bytes: (at: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, at) => bytes(at)));
}
