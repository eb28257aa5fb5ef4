import type { MsgHdrs } from '@nats-io/transport-node';
import type { Header } from '../../../broker/index.ts';
import { textOf } from '../../../util/index.ts';
import type { DriverOptions } from '../../connect.ts';
import type {
  DeliverySink,
  Driver,
  Lag,
  LetterStore,
  OutgoingMessage,
  Published,
  Puller,
} from '../../driver.ts';
import { ClientError } from '../../errors.ts';
import type { Capabilities } from '../../features.ts';
import type { GroupPlan, GroupSettings } from '../../group-settings.ts';
import type { ServerUrl } from '../../target-url.ts';
import type { TopicSettings } from '../../topic-settings.ts';
import { letterHeaders } from '../letter-headers.ts';
import { idHeader } from '../message-id.ts';
import { natsCapabilities, pillarboxCapabilities } from './capabilities.ts';
import { Connection } from './connection.ts';
import { consumerConfig, planOf } from './consumer-config.ts';
import { NatsDelivery, type MakeLetter } from './delivery.ts';
import { NatsLetters } from './letters.ts';
import { TopicPublisher } from './publisher.ts';
import { NatsPuller } from './puller.ts';
import { deliverAtHeader, msgIdHeader, priorityHeader } from './stored.ts';
import { isSame, streamConfig } from './stream-config.ts';
import { subjectOf } from './subjects.ts';
import { errorCodes, type ConsumerInfo, type PubAck, type StreamInfo } from './wire.ts';

/** Connects to a NATS server, and looks what it is: its INFO says whether it is Pillarbox. */
export async function openNats(
  server: ServerUrl,
  asksForPillarbox: boolean,
  options: DriverOptions,
): Promise<Driver> {
  const connection = await Connection.open(server, options);
  const info = connection.core.info as { readonly pillarbox?: string; readonly jetstream?: boolean };
  const isPillarbox = info.pillarbox !== undefined;
  if (info.jetstream === true && (isPillarbox || !asksForPillarbox))
    return new NatsDriver(connection, isPillarbox);
  await connection.close();
  throw new ClientError(
    'target-invalid',
    info.jetstream === true
      ? `${server.shown} is no Pillarbox server: connect to nats://${server.hosts.join(',')} for what it has.`
      : `${server.shown} has no JetStream: start the server with it (nats-server -js).`,
  );
}

/** JetStream, of a Pillarbox server or of nats-server. A topic is a stream, a group a durable consumer. */
class NatsDriver implements Driver {
  readonly target: string;
  readonly capabilities: Capabilities;
  readonly #connection: Connection;
  readonly #isPillarbox: boolean;
  readonly #publishers = new Map<string, TopicPublisher>();

  constructor(connection: Connection, isPillarbox: boolean) {
    this.target = connection.target;
    this.#connection = connection;
    this.#isPillarbox = isPillarbox;
    this.capabilities = isPillarbox ? pillarboxCapabilities : natsCapabilities;
  }

  async declareTopic(topic: string, settings: TopicSettings): Promise<void> {
    const before = await this.#stream(topic);
    const after = streamConfig(topic, settings, before?.config);
    if (before && isSame(before.config, after)) return;
    if (before) return void (await this.#connection.ask(`STREAM.UPDATE.${topic}`, after));
    await this.#connection.ask(`STREAM.CREATE.${topic}`, after, errorCodes.streamExists);
  }

  async declareGroup(topic: string, group: string, settings: GroupSettings): Promise<GroupPlan> {
    const ask = (verb: string, body: object, ...expected: number[]): Promise<ConsumerInfo | undefined> =>
      this.#connection.ask<ConsumerInfo>(`CONSUMER.${verb}.${topic}.${group}`, body, ...expected);
    const before = await ask('INFO', {}, errorCodes.consumerNotFound);
    const config = consumerConfig(topic, group, settings, this.#isPillarbox, before?.config);
    const isGiven = Object.keys(settings).length > 0;
    const body = { stream_name: topic, config, action: before ? 'update' : 'create' };
    const declared = before && !isGiven ? before : await ask('CREATE', body, errorCodes.consumerExists);
    // Another program may have made the group at the same moment.
    if (!declared) return this.declareGroup(topic, group, settings);
    const plan = planOf(topic, group, declared.config);
    if (plan.deadLetter !== undefined && !this.#isPillarbox) await this.#declareLetters(plan.deadLetter);
    return plan;
  }

  async publish(topic: string, message: OutgoingMessage): Promise<Published> {
    const headers = this.#headers(message.headers, (set) => {
      set(msgIdHeader, message.id);
      if (message.ttlMs !== undefined) set('Nats-TTL', `${message.ttlMs}ms`);
      if (message.priority !== undefined) set(priorityHeader, String(message.priority));
      if (message.deliverAtMs !== undefined) set(deliverAtHeader, String(message.deliverAtMs));
    });
    const subject = subjectOf(topic, message.key);
    const ack = await this.#publisher(topic).publish(subject, message.value, headers);
    return { id: message.id, partition: 0, offset: (ack.seq ?? 0) - 1, duplicate: ack.duplicate ?? false };
  }

  consume(plan: GroupPlan, sink: DeliverySink): Puller {
    const { deadLetter } = plan;
    const makeLetter: MakeLetter | undefined = this.#isPillarbox
      ? undefined
      : async (delivery, cause) => {
          if (deadLetter !== undefined) await this.#publishLetter(deadLetter, plan.name, delivery, cause);
        };
    return new NatsPuller(this.#connection, plan, sink, (message) =>
      sink.received(new NatsDelivery(this.#connection, message, makeLetter)),
    );
  }

  async lag({ topic, name }: GroupPlan): Promise<Lag> {
    const info = await this.#connection.ask<ConsumerInfo>(`CONSUMER.INFO.${topic}.${name}`, {});
    return { lag: info!.num_pending, inFlight: info!.num_ack_pending };
  }

  letters(topic: string): LetterStore {
    return new NatsLetters(this.#connection, topic, async (to, subject, value, headers) => {
      await this.#publishRaw(to, subject, value, headers);
    });
  }

  async close(): Promise<void> {
    for (const publisher of this.#publishers.values()) publisher.close();
    await this.#connection.close();
  }

  #stream(topic: string): Promise<StreamInfo | undefined> {
    return this.#connection.ask<StreamInfo>(`STREAM.INFO.${topic}`, {}, errorCodes.streamNotFound);
  }

  async #declareLetters(topic: string): Promise<void> {
    if (await this.#stream(topic)) return;
    const config = { name: topic, subjects: [topic], storage: 'file', num_replicas: 1 };
    await this.#connection.ask(`STREAM.CREATE.${topic}`, config, errorCodes.streamExists);
  }

  async #publishLetter(to: string, group: string, delivery: NatsDelivery, cause: string): Promise<void> {
    const { message, subject, sequence } = delivery;
    const { clock } = this.#connection.options;
    await this.#publishRaw(to, to, message.bytes ?? new Uint8Array(0), [
      ...message.headers,
      idHeader(message.id),
      ...letterHeaders(delivery, group, subject, cause, clock.now()),
      { name: msgIdHeader, value: Buffer.from(`letter:${message.topic}:${group}:${sequence}`) },
    ]);
  }

  #publishRaw(to: string, subject: string, value: Uint8Array, headers: readonly Header[]): Promise<PubAck> {
    return this.#publisher(to).publish(subject, value, this.#headers(headers));
  }

  #publisher(topic: string): TopicPublisher {
    let publisher = this.#publishers.get(topic);
    if (!publisher) this.#publishers.set(topic, (publisher = new TopicPublisher(this.#connection)));
    return publisher;
  }

  #headers(list: readonly Header[], more?: (set: (name: string, value: string) => void) => void): MsgHdrs {
    const headers = this.#connection.nats.headers();
    try {
      for (const { name, value } of list)
        headers.append(name, value === null ? '' : textOf(value, 0, value.length));
    } catch (error) {
      const what = `${this.target} cannot take the headers: ${(error as Error).message}`;
      throw new ClientError('message-invalid', what, error);
    }
    more?.((name, value) => headers.set(name, value));
    return headers;
  }
}
