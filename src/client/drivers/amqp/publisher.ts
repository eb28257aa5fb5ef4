import type { Channel, Connection, Envelope } from 'rabbitmq-client';
import type { DriverOptions } from '../../connect.ts';
import { ClientError } from '../../errors.ts';

/** The wait before a publish is tried again on a new channel. */
const againMs = 100;

/**
 * The publisher of a connection: a channel with confirms. A publish that was not confirmed when its channel
 * was lost is made again on the next one; AMQP knows no ids, so it may be there twice then.
 */
export class AmqpPublisher {
  readonly #connection: Connection;
  readonly #options: DriverOptions;
  readonly #target: string;
  /** Messages that no queue took. */
  readonly #returned = new Set<string>();
  #channel: Promise<Channel> | undefined;
  #isClosed = false;

  constructor(connection: Connection, options: DriverOptions, target: string) {
    this.#connection = connection;
    this.#options = options;
    this.#target = target;
  }

  /** Resolves once a queue has the message; the id of the envelope must be there. */
  async publish(envelope: Envelope, body: Uint8Array): Promise<void> {
    const { clock, publishTimeoutMs } = this.#options;
    const deadlineMs = clock.monotonic() + publishTimeoutMs;
    for (;;) {
      const channel = await this.#acquire(deadlineMs, envelope);
      try {
        await channel.basicPublish({ ...envelope, durable: true, mandatory: true }, Buffer.from(body));
        break;
      } catch (error) {
        if (channel.active || isFinal(error)) throw this.#refusal(envelope, error);
        if (this.#isClosed) throw new ClientError('closed', 'The client was closed.');
        this.#channel = undefined;
        await clock.sleep(againMs);
      }
    }
    if (!this.#returned.delete(envelope.messageId ?? '')) return;
    const name = envelope.exchange ?? '';
    throw new ClientError(
      'refused',
      name === ''
        ? `${this.#target} has no queue "${envelope.routingKey}".`
        : `${this.#target} has no group of topic "${name}", which could keep the message: declare one first.`,
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const channel = await this.#channel?.catch(() => undefined);
    await channel?.close().catch(() => undefined);
  }

  async #acquire(deadlineMs: number, envelope: Envelope): Promise<Channel> {
    for (;;) {
      this.#channel ??= this.#open();
      try {
        return await this.#channel;
      } catch (error) {
        this.#channel = undefined;
        if (this.#isClosed || this.#options.clock.monotonic() > deadlineMs)
          throw new ClientError(
            'not-confirmed',
            `${this.#target} did not take message "${envelope.messageId}" in time: ${(error as Error).message}`,
            error,
          );
        await this.#options.clock.sleep(againMs);
      }
    }
  }

  async #open(): Promise<Channel> {
    const channel = await this.#connection.acquire();
    channel.on('basic.return', ({ messageId = '' }) => void this.#returned.add(messageId));
    channel.on('close', () => (this.#channel = undefined));
    await channel.confirmSelect();
    return channel;
  }

  #refusal(envelope: Envelope, error: unknown): ClientError {
    const what = `${this.#target} refuses message "${envelope.messageId}"`;
    return new ClientError('refused', `${what}: ${(error as Error).message}`, error);
  }
}

const finalCodes: ReadonlySet<unknown> = new Set([
  'NOT_FOUND',
  'ACCESS_REFUSED',
  'PRECONDITION_FAILED',
  'BASIC_PUBLISH_NACK',
  'NACK',
]);

/** Whether the broker refused it, and would again. */
function isFinal(error: unknown): boolean {
  return finalCodes.has((error as { readonly code?: unknown }).code);
}
