import { methods } from '../../src/wire/amqp/index.ts';
import { AmqpChannel, type AmqpNumbers } from './amqp-channel.ts';
import { AmqpClient, type Heard } from './amqp-client.ts';
import type { AmqpRun } from './amqp-run.ts';
import type { ChannelKind } from './amqp-script.ts';

const numberOf: { readonly [K in ChannelKind]: number } = { confirm: 1, tx: 2, plain: 3 };

/** The connection of an AMQP client, and its channels. It is made again when it is needed. */
export class AmqpConnection {
  readonly #numbers: AmqpNumbers;
  /** Called when the server has answered something. */
  readonly #heard: () => void;
  readonly #channels = new Map<number, AmqpChannel>();
  #run!: AmqpRun;
  #client: AmqpClient | undefined;
  #isClosing = false;

  constructor(numbers: AmqpNumbers, heard: () => void) {
    this.#numbers = numbers;
    this.#heard = heard;
  }

  connect(run: AmqpRun): void {
    this.#run = run;
    this.#forget();
  }

  get isRouting(): boolean {
    return [...this.#channels.values()].some((channel) => channel.isRouting);
  }

  /** Undefined while the connection is closing. */
  channel(kind: ChannelKind): AmqpChannel | undefined {
    if (this.#isClosing) return undefined;
    this.#client ??= new AmqpClient(
      this.#run,
      (heard) => this.#hear(heard),
      () => this.#lost(),
    );
    const number = numberOf[kind];
    let channel = this.#channels.get(number);
    if (channel) return channel;
    const ended = (): void => void this.#channels.delete(number);
    channel = new AmqpChannel(this.#run, this.#client, kind, number, this.#numbers, ended);
    this.#channels.set(number, channel);
    return channel;
  }

  /** Ends in order, or breaks. */
  close(isAbrupt: boolean): void {
    if (!this.#client) return;
    for (const channel of this.#channels.values()) channel.leaving();
    if (isAbrupt) return this.#client.hangUp();
    this.#isClosing = true;
    const values = { replyCode: 200, replyText: '', failedClass: 0, failedMethod: 0 };
    this.#client.send(0, methods.connection.close, values);
  }

  #hear(heard: Heard): void {
    const { close, closeOk } = methods.connection;
    if (heard.method === closeOk || heard.method === close) return this.#client?.hangUp();
    this.#channels.get(heard.channel)?.hear(heard);
    this.#heard();
  }

  #lost(): void {
    if (!this.#isClosing) for (const channel of this.#channels.values()) channel.leaving();
    this.#forget();
    this.#heard();
  }

  #forget(): void {
    for (const channel of this.#channels.values()) channel.over();
    this.#channels.clear();
    this.#client = undefined;
    this.#isClosing = false;
  }
}
