import { connect, type Socket } from 'node:net';

/** A NATS client of its own, in the process of the server, so that nothing but the server is traced. */
export class WalkClient {
  readonly #socket: Socket;
  #received = '';
  #onData: () => void = () => {};
  #requests = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1');
      this.#onData();
    });
  }

  static async connect(port: number): Promise<WalkClient> {
    const client = new WalkClient(connect({ host: '127.0.0.1', port, noDelay: true }));
    client.#socket.write('CONNECT {"verbose":false,"headers":true}\r\nSUB _INBOX.walk.> 1\r\n');
    await client.flush();
    return client;
  }

  /** Publishes with a reply subject; resolves when a whole message has come there. */
  async request(subject: string, body: string): Promise<void> {
    const inbox = this.#nextInbox();
    this.publish(subject, body, inbox);
    await this.#until(new RegExp(`${inbox} [^\\r]*\\r\\n[^]*\\r\\n`));
  }

  publish(subject: string, body: string, reply: string = ''): void {
    this.#socket.write(`PUB ${subject} ${reply} ${body.length}\r\n${body}\r\n`);
  }

  /** Pulls one message of a consumer; resolves to the subject of its ack. */
  async pull(stream: string, consumer: string): Promise<string> {
    const body = JSON.stringify({ batch: 1, expires: 5e9 });
    this.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, body, this.#nextInbox());
    return (await this.#until(/\$JS\.ACK\.\S+/))[0];
  }

  async flush(): Promise<void> {
    this.#socket.write('PING\r\n');
    await this.#until(/PONG\r\n/);
  }

  end(): void {
    this.#socket.destroy();
  }

  #nextInbox(): string {
    return `_INBOX.walk.${this.#requests++}`;
  }

  /** Resolves when what has come since the last answer matches. */
  #until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      this.#onData = () => {
        const found = pattern.exec(this.#received);
        if (found === null) return;
        this.#received = '';
        this.#onData = () => {};
        resolve(found);
      };
      this.#onData();
    });
  }
}
