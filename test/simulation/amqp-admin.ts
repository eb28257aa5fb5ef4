import type { Topic } from '../../src/broker/index.ts';
import { methods, type Arguments, type FieldValue, type Method } from '../../src/wire/amqp/index.ts';
import { AmqpClient, type Heard } from './amqp-client.ts';
import type { AmqpRun } from './amqp-run.ts';
import { exchanges, type AmqpStep, type ExchangeName, type QueueTraits } from './amqp-script.ts';
import type { AmqpTopology } from './amqp-topology.ts';
import { keyOf } from './keys.ts';

type ChangeStep = Extract<
  AmqpStep,
  {
    readonly kind:
      | 'declare'
      | 'delete-queue'
      | 'purge'
      | 'declare-exchange'
      | 'delete-exchange'
      | 'bind'
      | 'unbind';
  }
>;

/** A request that was sent. */
interface Asked {
  readonly step: ChangeStep;
  readonly since: number;
  readonly done: () => void;
}

const pendingMax = 2;
const channel = 1;

/**
 * The admin declares, binds and deletes by a connection of its own, one request after the other. It begins
 * when no publish is on its way, because that goes where it goes when it arrives.
 */
export class AmqpAdmin {
  readonly #topology: AmqpTopology;
  readonly #pending: ChangeStep[] = [];
  readonly #isRouting: () => boolean;
  #run!: AmqpRun;
  #client: AmqpClient | undefined;
  #asked: Asked | undefined;

  constructor(topology: AmqpTopology, isRouting: () => boolean) {
    this.#topology = topology;
    this.#isRouting = isRouting;
  }

  connect(run: AmqpRun): void {
    this.#run = run;
    this.#client = undefined;
    this.#asked = undefined;
    this.#pending.length = 0;
    this.#noteLetters();
  }

  /** Publishes have to wait. */
  get isBusy(): boolean {
    const isOfQueues = this.#asked && this.#asked.step.kind !== 'bind' && this.#asked.step.kind !== 'unbind';
    return isOfQueues === true || this.#pending.length > 0;
  }

  add(step: ChangeStep): void {
    if (this.#pending.length < pendingMax) this.#pending.push(step);
    this.goOn();
  }

  goOn(): void {
    while (!this.#asked && this.#pending.length > 0 && !this.#isRouting()) this.#ask(this.#pending.shift()!);
  }

  stop(): void {
    this.#pending.length = 0;
  }

  // ---- the requests

  #ask(step: ChangeStep): void {
    switch (step.kind) {
      case 'declare':
        return this.#declare(step);
      case 'declare-exchange':
      case 'delete-exchange':
        return this.#changeExchange(step);
      default: {
        const topic = this.#run.broker.topic(step.queue);
        if (topic) this.#changeQueue(step, topic);
      }
    }
  }

  #declare(step: Extract<ChangeStep, { kind: 'declare' }>): void {
    this.#topology.declaring(step.traits);
    const values = {
      reserved1: 0,
      queue: step.queue,
      passive: false,
      durable: true,
      exclusive: false,
      autoDelete: false,
      noWait: false,
      arguments: argumentsOf(step.traits),
    };
    this.#call(step, methods.queue.declare, values, () => {
      // It was created by this request, or before.
      const topic = this.#run.broker.topic(step.queue)!;
      const of = this.#run.last((fact) => fact.kind === 'topic' && fact.topic === keyOf(topic));
      if (of >= 0) this.#run.note({ kind: 'outcome', of });
    });
  }

  #changeQueue(
    step: Extract<ChangeStep, { kind: 'delete-queue' | 'purge' | 'bind' | 'unbind' }>,
    topic: Topic,
  ): void {
    const { queue } = step;
    if (step.kind === 'purge') {
      const of = this.#run.note({ kind: 'purge', topic: keyOf(topic), partition: 0 });
      return this.#call(step, methods.queue.purge, { reserved1: 0, queue, noWait: false }, () =>
        this.#run.note({ kind: 'outcome', of }),
      );
    }
    if (step.kind === 'delete-queue') {
      const values = { reserved1: 0, queue, ifUnused: false, ifEmpty: false, noWait: false };
      return this.#call(step, methods.queue.delete, values, () => {
        const of = this.#run.last((fact) => fact.kind === 'topic-deleted' && fact.topic === keyOf(topic));
        if (of >= 0) this.#run.note({ kind: 'outcome', of });
      });
    }
    this.#changeBinding(step, topic);
  }

  #changeBinding(step: Extract<ChangeStep, { kind: 'bind' | 'unbind' }>, topic: Topic): void {
    const { exchange, queue, key } = step;
    if (!this.#topology.isThere(exchange)) return;
    const values = {
      reserved1: 0,
      queue,
      exchange,
      routingKey: key,
      arguments: new Map<string, FieldValue>(),
    };
    if (step.kind === 'bind') {
      this.#topology.binding(exchange, topic, key);
      this.#call(step, methods.queue.bind, { ...values, noWait: false }, () =>
        this.#topology.bound(exchange, topic, key),
      );
    } else {
      this.#topology.unbinding(exchange, topic, key);
      this.#call(step, methods.queue.unbind, values, () => this.#topology.unbound(exchange, topic, key));
    }
  }

  #changeExchange(step: Extract<ChangeStep, { kind: 'declare-exchange' | 'delete-exchange' }>): void {
    const { exchange } = step;
    if (step.kind === 'delete-exchange') {
      this.#topology.deletingExchange(exchange);
      return this.#call(
        step,
        methods.exchange.delete,
        { reserved1: 0, exchange, ifUnused: false, noWait: false },
        () => this.#topology.exchangeDeleted(exchange),
      );
    }
    this.#topology.declaringExchange(exchange);
    const values = {
      reserved1: 0,
      exchange,
      type: exchanges[exchange as ExchangeName],
      passive: false,
      durable: true,
      autoDelete: false,
      internal: false,
      noWait: false,
      arguments: new Map<string, FieldValue>(),
    };
    this.#call(step, methods.exchange.declare, values, () => this.#topology.exchangeDeclared(exchange));
  }

  #call<M extends Method>(step: ChangeStep, method: M, values: Arguments<M>, done: () => void): void {
    this.#asked = { step, since: this.#run.events, done };
    this.#noteLetters();
    this.#connection().send(channel, method, values);
  }

  // ---- the answers

  #connection(): AmqpClient {
    if (this.#client && !this.#client.isClosed) return this.#client;
    this.#client = new AmqpClient(
      this.#run,
      (heard) => this.#hear(heard),
      () => (this.#asked = undefined),
    );
    this.#client.send(channel, methods.channel.open, { reserved1: '' });
    return this.#client;
  }

  #hear({ method, values }: Heard): void {
    const { queue, exchange, channel: channels } = methods;
    if (method === channels.close) return this.#refused(values as Arguments<typeof channels.close>);
    const isAnswer = [
      queue.declareOk,
      queue.deleteOk,
      queue.purgeOk,
      queue.bindOk,
      queue.unbindOk,
      exchange.declareOk,
      exchange.deleteOk,
    ].some((answer) => answer === method);
    if (!isAnswer) return;
    const asked = this.#asked!;
    this.#asked = undefined;
    asked.done();
    this.#noteLetters();
    this.goOn();
  }

  /** A queue is there with other arguments; or the log has failed. */
  #refused({ replyText }: Arguments<typeof methods.channel.close>): void {
    const isDeclared = this.#asked?.step.kind === 'declare' && replyText.includes('inequivalent arg');
    if (!isDeclared) this.#run.problem(`the admin was refused: ${replyText}`);
    this.#asked = undefined;
    this.#client!.send(channel, methods.channel.closeOk, {});
    this.#client!.send(channel, methods.channel.open, { reserved1: '' });
    this.#noteLetters();
    this.goOn();
  }

  #noteLetters(): void {
    const step = this.#asked?.step;
    const isOfQueue = step?.kind === 'declare' || step?.kind === 'delete-queue';
    this.#topology.noteLetters(isOfQueue ? step.queue : undefined);
  }
}

function argumentsOf(traits: QueueTraits): Map<string, FieldValue> {
  const { lengthMax, overflow, ttlMs, priorityMax, isSingle, deliveryLimit, retryMs, letters } = traits;
  const values: [string, FieldValue | undefined][] = [
    ['x-max-length', lengthMax],
    ['x-overflow', overflow],
    ['x-message-ttl', ttlMs],
    ['x-max-priority', priorityMax],
    ['x-single-active-consumer', isSingle],
    ['x-delivery-limit', deliveryLimit],
    ['x-delayed-retry-type', retryMs && 'all'],
    ['x-delayed-retry-min', retryMs],
    ['x-dead-letter-exchange', letters?.exchange],
    ['x-dead-letter-routing-key', letters?.key],
  ];
  return new Map(values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}
