import type { Broker, Group, Topic } from '../../src/broker/index.ts';
import { AmqpAdmin } from './amqp-admin.ts';
import type { AmqpChannel } from './amqp-channel.ts';
import { AmqpConnection } from './amqp-connection.ts';
import { AmqpRun } from './amqp-run.ts';
import type { AmqpStep, ChannelKind } from './amqp-script.ts';
import { AmqpTopology } from './amqp-topology.ts';
import { GroupWatch } from './group-watch.ts';
import type { History } from './history.ts';
import type { PlannedMessage } from './script.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/**
 * Queues and exchanges as AMQP clients use them. They remember what they were told of exchanges and bindings,
 * and connect again when the broker is up again.
 */
export class AmqpClients {
  readonly #history: History;
  readonly #clock: SimulatedClock;
  readonly #plans: ReadonlyMap<number, PlannedMessage>;
  readonly #seed: number;
  readonly #topology = new AmqpTopology();
  readonly #connections: ReadonlyMap<string, AmqpConnection>;
  readonly #admin: AmqpAdmin;
  #run!: AmqpRun;
  #watch!: GroupWatch;
  #isDraining = false;

  constructor(
    history: History,
    clock: SimulatedClock,
    plans: ReadonlyMap<number, PlannedMessage>,
    seed: number,
    nextConsumer: () => number,
  ) {
    this.#history = history;
    this.#clock = clock;
    this.#plans = plans;
    this.#seed = seed;
    const numbers = { channel: 0, nextConsumer, tx: 0 };
    const heard = (): void => this.#admin.goOn();
    this.#connections = new Map(
      ['a', 'b'].map((name) => [name, new AmqpConnection(numbers, heard)] as const),
    );
    this.#admin = new AmqpAdmin(this.#topology, () =>
      [...this.#connections.values()].some(({ isRouting }) => isRouting),
    );
  }

  /** The broker is up, for the first time or again. */
  connect(broker: Broker): void {
    const run = new AmqpRun({
      broker,
      clock: this.#clock,
      history: this.#history,
      plans: this.#plans,
      seed: this.#seed,
    });
    this.#run = run;
    this.#watch = new GroupWatch(this.#history, this.#plans, true);
    this.#watch.all(broker);
    this.#topology.connect(run);
    if (!this.#isDraining) this.#topology.noteQueues(); // else groups have been changed
    for (const connection of this.#connections.values()) connection.connect(run);
    this.#admin.connect(run);
  }

  /** The process is gone; nothing it says from now on is heard. */
  disconnect(): void {
    (this.#run as AmqpRun | undefined)?.end();
  }

  topicCreated(topic: Topic): void {
    this.#topology.queueCreated(topic);
  }

  watch(group: Group): void {
    this.#watch.one(group);
  }

  queueCreated(topic: Topic): void {
    this.#topology.noteQueue(topic);
  }

  perform(step: AmqpStep, messages: readonly PlannedMessage[]): void {
    if (this.#isDraining) return;
    switch (step.kind) {
      case 'declare':
      case 'delete-queue':
      case 'purge':
      case 'declare-exchange':
      case 'delete-exchange':
      case 'bind':
      case 'unbind':
        return this.#admin.add(step);
      case 'publish':
        return this.#publish(step, messages);
      case 'close':
        return this.#connections.get(step.who)!.close(step.isAbrupt);
      case 'end-tx':
        return this.#channel(step.who, 'tx')?.endTx(step);
      default: {
        const channel = this.#channel(step.who, step.channel);
        if (channel) this.#performOn(channel, step);
      }
    }
  }

  #performOn(
    channel: AmqpChannel,
    step: Extract<
      AmqpStep,
      {
        kind: 'consume' | 'cancel' | 'answer' | 'get' | 'recover' | 'close-channel' | 'mistake' | 'limit';
      }
    >,
  ): void {
    switch (step.kind) {
      case 'consume':
      case 'get': {
        // A request that comes when its queue is gone would end the channel.
        const topic = this.#admin.isBusy ? undefined : this.#run.broker.topic(step.queue);
        if (!topic) return;
        return step.kind === 'get' ? channel.get(step, topic) : channel.consume(step, topic);
      }
      case 'cancel':
        return channel.cancel(step);
      case 'answer':
        return channel.answer(step);
      case 'recover':
        return channel.recover();
      case 'close-channel':
        return channel.close();
      case 'mistake':
        return channel.mistake();
      case 'limit':
        return channel.limit(step);
      default:
        return step satisfies never;
    }
  }

  #publish(step: Extract<AmqpStep, { kind: 'publish' }>, messages: readonly PlannedMessage[]): void {
    const { who, channel, exchange, key } = step;
    if (this.#admin.isBusy || (exchange !== '' && !this.#topology.isThere(exchange))) return;
    this.#channel(who, channel)?.publish(step, messages, this.#topology.way(exchange, key));
  }

  #channel(who: string, kind: ChannelKind): AmqpChannel | undefined {
    return this.#connections.get(who)!.channel(kind);
  }

  /** All connections end: their deliveries go back. */
  drain(): void {
    this.#isDraining = true;
    this.#admin.stop();
    for (const connection of this.#connections.values()) connection.close(true);
  }
}
