import { WireClient } from '../../support/index.ts';

/**
 * The CONNECT of most clients, except for protocol 1: a server may send such clients another INFO at any
 * time.
 */
export const quietConnect = {
  verbose: false,
  pedantic: false,
  headers: true,
  no_responders: true,
  protocol: 0,
};

/** A wire client that has read INFO, sent CONNECT and seen the PONG to its PING. */
export async function shakeHands(port: number, connect: object = {}): Promise<WireClient> {
  // A server pings when it likes; nats-server does so for the first time two seconds after CONNECT.
  const client = await WireClient.open(port, { ping: 'PING\r\n', pong: 'PONG\r\n' });
  await client.line();
  client.send(`CONNECT ${JSON.stringify({ ...quietConnect, ...connect })}\r\nPING\r\n`);
  await client.readThrough('PONG\r\n');
  return client;
}

/** Control lines as they go over the wire: each ends in CRLF. */
export function lines(...controlLines: readonly string[]): string {
  return controlLines.map((line) => `${line}\r\n`).join('');
}
