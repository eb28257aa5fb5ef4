import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** How the fake answers a publish to a stream. */
export type AckOf = (sequence: number) => string;

/**
 * A fake server speaks just enough NATS for the load generators. Subjects match literally or by a trailing
 * `*`. A message with a reply subject but no subscriber is acked as by a stream.
 */
export class FakeServer {
  readonly #server: Server = createServer((socket) => this.#accept(socket));
  readonly #sockets: Set<Socket> = new Set();
  readonly #subscriptions: { subject: string; sid: string; socket: Socket }[] = [];
  readonly #ackOf: AckOf;
  published = 0;
  #sequence = 0;

  constructor(ackOf: AckOf = (sequence) => `{"stream":"s","seq":${sequence}}`) {
    this.#ackOf = ackOf;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    let held = '';
    socket.write('INFO {"headers":true,"max_payload":1048576}\r\n');
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      held += bytes.toString('latin1');
      for (;;) {
        const used = this.#take(socket, held);
        if (used === 0) break;
        held = held.slice(used);
      }
    });
  }

  /** Deals with one frame at the start of `text`; returns its length, 0 when it is incomplete. */
  #take(socket: Socket, text: string): number {
    const lineEnd = text.indexOf('\r\n');
    if (lineEnd < 0) return 0;
    const [verb, subject = '', ...rest] = text.slice(0, lineEnd).split(' ');
    if (verb === 'PING') socket.write('PONG\r\n');
    if (verb === 'SUB') this.#subscriptions.push({ subject, sid: rest[0] ?? '', socket });
    if (verb !== 'PUB') return lineEnd + 2;
    const end = lineEnd + 2 + Number(rest.at(-1)) + 2;
    if (end > text.length) return 0;
    this.#publish(subject, rest.length > 1 ? (rest[0] ?? '') : '', text.slice(lineEnd + 2, end - 2));
    return end;
  }

  #publish(subject: string, reply: string, payload: string): void {
    this.published++;
    const isDelivered = this.#deliver(subject, reply, payload);
    if (!isDelivered && reply !== '') this.#deliver(reply, '', this.#ackOf(++this.#sequence));
  }

  #deliver(subject: string, reply: string, payload: string): boolean {
    const matching = this.#subscriptions.filter(
      (one) => one.subject === subject || one.subject === subject.replace(/[^.]+$/, '*'),
    );
    for (const { socket, sid } of matching) {
      const target = reply === '' ? sid : `${sid} ${reply}`;
      socket.write(`MSG ${subject} ${target} ${payload.length}\r\n${payload}\r\n`);
    }
    return matching.length > 0;
  }
}
