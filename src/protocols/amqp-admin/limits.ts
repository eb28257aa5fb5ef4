import type { HttpLimits } from '../http/index.ts';

/** The limits of the clients of the management API. */
export const managementLimits: Partial<HttpLimits> = {
  connectionsMax: 1_000,
  /** As in RabbitMQ: definitions are large. */
  bodyBytesMax: 20 * 2 ** 20,
};

/** Levels of arrays and objects in a body. A deeper one takes long to parse: 20 MiB of brackets some 2 s. */
export const bodyDepthMax = 100;

/** Entries of a page, as in RabbitMQ. */
export const pageSizeDefault = 100;
export const pageSizeMax = 500;

/** Messages, and bytes of their bodies, of one answer to `get`. */
export const gotMessagesMax = 1_000;
export const gotBytesMax: number = 16 * 2 ** 20;

/**
 * The largest message of an AMQP client that speaks by WebSocket, in bytes. Clients send a frame or a few.
 */
export const webSocketMessageBytesMax: number = 2 ** 20;
