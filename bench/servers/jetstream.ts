import { token } from '../load/encode.ts';
import { readFrame } from '../load/frame.ts';
import { NatsSocket } from '../load/nats-socket.ts';

/** The options in which streams of the bench differ. */
export interface StreamOptions {
  readonly name: string;
  readonly subject: string;
  readonly storage: 'file' | 'memory';
  /** Its messages may have a TTL. */
  readonly hasTtls?: boolean;
}

/** The progress of a consumer. */
export interface ConsumerState {
  readonly numPending: number;
  readonly numAckPending: number;
  readonly numRedelivered: number;
}

/** Pending requests, by reply subject. */
type Waiting = Map<string, { resolve(answer: unknown): void; reject(error: Error): void }>;

const inbox = '_INBOX.control000000000000000';

/** JetStream creates and deletes streams and consumers around a measurement, over a connection of its own. */
export class JetStream {
  readonly #socket: NatsSocket;
  readonly #waiting: Waiting;
  #requests = 0;

  private constructor(socket: NatsSocket, waiting: Waiting) {
    this.#socket = socket;
    this.#waiting = waiting;
    socket.reader = (buffer, end) => this.#read(buffer, end);
  }

  static async connect(port: number): Promise<JetStream> {
    const waiting: Waiting = new Map();
    const socket = await NatsSocket.connect(port, (error) => {
      for (const request of waiting.values()) request.reject(error);
    });
    await socket.flush(`SUB ${inbox}.* 1\r\n`);
    return new JetStream(socket, waiting);
  }

  async createStream({ name, subject, storage, hasTtls = false }: StreamOptions): Promise<void> {
    await this.#request(`STREAM.CREATE.${name}`, {
      name,
      subjects: [subject],
      retention: 'limits',
      discard: 'old',
      storage,
      num_replicas: 1,
      max_msgs: -1,
      max_bytes: -1,
      max_age: 0,
      ...(hasTtls ? { allow_msg_ttl: true } : {}),
      max_consumers: -1,
    });
  }

  async deleteStream(name: string): Promise<void> {
    await this.#request(`STREAM.DELETE.${name}`, undefined);
  }

  async messagesIn(stream: string): Promise<number> {
    const info = (await this.#request(`STREAM.INFO.${stream}`, undefined)) as {
      state: { messages: number };
    };
    return info.state.messages;
  }

  /** A durable pull consumer with explicit acks. */
  async createConsumer(stream: string, name: string, ackPendingMax: number): Promise<void> {
    await this.#request(`CONSUMER.CREATE.${stream}.${name}`, {
      stream_name: stream,
      action: 'create',
      config: {
        name,
        durable_name: name,
        deliver_policy: 'all',
        ack_policy: 'explicit',
        ack_wait: 60e9,
        max_deliver: -1,
        max_ack_pending: ackPendingMax,
        replay_policy: 'instant',
      },
    });
  }

  async deleteConsumer(stream: string, name: string): Promise<void> {
    await this.#request(`CONSUMER.DELETE.${stream}.${name}`, undefined);
  }

  async consumerState(stream: string, name: string): Promise<ConsumerState> {
    const info = (await this.#request(`CONSUMER.INFO.${stream}.${name}`, undefined)) as {
      num_pending: number;
      num_ack_pending: number;
      num_redelivered: number;
    };
    return {
      numPending: info.num_pending,
      numAckPending: info.num_ack_pending,
      numRedelivered: info.num_redelivered,
    };
  }

  end(): void {
    this.#socket.end();
  }

  #request(verb: string, body: unknown): Promise<unknown> {
    const reply = `${inbox}.${token(this.#requests++)}`;
    const payload = body === undefined ? '' : JSON.stringify(body);
    this.#socket.write(`PUB $JS.API.${verb} ${reply} ${payload.length}\r\n${payload}\r\n`);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${verb}`)), 30_000);
      const settle = (): void => {
        clearTimeout(late);
        this.#waiting.delete(reply);
      };
      this.#waiting.set(reply, {
        resolve: (answer) => {
          settle();
          const { error } = answer as { error?: { description: string } };
          if (error === undefined) resolve(answer);
          else reject(new Error(`${verb} was refused: ${error.description}`));
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
    });
  }

  #read(buffer: Buffer, end: number): number {
    let position = 0;
    for (;;) {
      const frame = position < end ? readFrame(buffer, position, end) : undefined;
      if (frame === undefined) return position;
      position = frame.end;
      if (frame.kind !== 'message') {
        this.#socket.handleControl(frame);
        continue;
      }
      const request = this.#waiting.get(frame.subject);
      if (frame.status !== '') request?.reject(new Error(`no answer: status ${frame.status}`));
      else request?.resolve(JSON.parse(buffer.toString('utf8', frame.payloadPosition, frame.payloadEnd)));
    }
  }
}
