import type { HttpLimits } from '../http/index.ts';

/** The limits of the clients of the management API. */
export const managementLimits: Partial<HttpLimits> = {
  connectionsMax: 1_000,
  /** As in RabbitMQ: definitions are large. */
  bodyBytesMax: 20 * 2 ** 20,
};

/** Entries of a page, as in RabbitMQ. */
export const pageSizeDefault = 100;
export const pageSizeMax = 500;

/** Messages, and bytes of their bodies, of one answer to `get`. */
export const gotMessagesMax = 1_000;
export const gotBytesMax: number = 16 * 2 ** 20;

/** The largest message of an AMQP client that speaks by WebSocket, in bytes. Clients send a frame or a few. */
export const webSocketMessageBytesMax: number = 2 ** 20;
