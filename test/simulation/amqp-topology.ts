import { defaultGroup, type Topic } from '../../src/broker/index.ts';
import type { AmqpRun } from './amqp-run.ts';
import { exchanges, lettersQueue, type ExchangeName, type QueueTraits } from './amqp-script.ts';
import { keyOf } from './keys.ts';

/** The queues that a message goes to. `unsure`: a binding was being changed, so it may go there or not. */
export interface Way {
  readonly sure: readonly Topic[];
  readonly unsure: readonly Topic[];
}

interface BindingKnown {
  readonly exchange: string;
  readonly topic: string;
  readonly key: string;
  isSure: boolean;
}

/**
 * The exchanges and bindings as clients know them from the answers to their requests. A request that was not
 * answered before a crash leaves them unsure.
 */
export class AmqpTopology {
  readonly #exchanges = new Map<string, 'there' | 'unsure'>();
  readonly #bindings = new Map<string, BindingKnown>();
  /** By topic: what it was declared with. */
  readonly #traits = new Map<string, QueueTraits>();
  /** By topic: where its dead letters go, as it was last said. */
  readonly #letters = new Map<string, string>();
  /** What the queue that comes next is declared with. */
  #declared: QueueTraits = {};
  #run!: AmqpRun;

  connect(run: AmqpRun): void {
    this.#run = run;
    this.#letters.clear();
  }

  noteQueues(): void {
    for (const topic of this.#run.broker.topics.values()) this.noteQueue(topic);
  }

  isThere(exchange: string): boolean {
    return this.#exchanges.get(exchange) === 'there';
  }

  // ---- changes, when they are asked for and when they are done

  declaring(traits: QueueTraits): void {
    this.#declared = traits;
  }

  queueCreated(topic: Topic): void {
    this.#traits.set(keyOf(topic), this.#declared);
  }

  /** Says what a queue is, and what it was declared with. */
  noteQueue(topic: Topic): void {
    const traits = this.#traits.get(keyOf(topic));
    const group = topic.groups.get(defaultGroup);
    if (traits && group)
      this.#run.note({ kind: 'declared', traits, topic: topic.config, group: group.config });
  }

  declaringExchange(name: string): void {
    if (!this.isThere(name)) this.#exchanges.set(name, 'unsure');
  }

  exchangeDeclared(name: string): void {
    this.#exchanges.set(name, 'there');
  }

  deletingExchange(name: string): void {
    this.#exchanges.set(name, 'unsure');
    for (const binding of this.#bindings.values()) if (binding.exchange === name) binding.isSure = false;
  }

  exchangeDeleted(name: string): void {
    this.#exchanges.delete(name);
    for (const [id, { exchange }] of this.#bindings) if (exchange === name) this.#bindings.delete(id);
  }

  binding(exchange: string, topic: Topic, key: string): void {
    const id = idOf(exchange, topic, key);
    if (!this.#bindings.has(id))
      this.#bindings.set(id, { exchange, topic: keyOf(topic), key, isSure: false });
  }

  bound(exchange: string, topic: Topic, key: string): void {
    const binding = this.#bindings.get(idOf(exchange, topic, key));
    if (binding) binding.isSure = true;
  }

  unbinding(exchange: string, topic: Topic, key: string): void {
    const binding = this.#bindings.get(idOf(exchange, topic, key));
    if (binding) binding.isSure = false;
  }

  unbound(exchange: string, topic: Topic, key: string): void {
    this.#bindings.delete(idOf(exchange, topic, key));
  }

  // ---- ways

  way(exchange: string, key: string): Way {
    const sure = new Set<Topic>();
    const unsure = new Set<Topic>();
    for (const topic of this.#run.broker.topics.values()) {
      if (exchange === '') {
        if (topic.name === key) sure.add(topic);
        continue;
      }
      const topicKey = keyOf(topic);
      for (const binding of this.#bindings.values()) {
        if (binding.exchange !== exchange || binding.topic !== topicKey) continue;
        if (fits(exchange as ExchangeName, binding.key, key)) (binding.isSure ? sure : unsure).add(topic);
      }
    }
    return { sure: [...sure], unsure: [...unsure].filter((topic) => !sure.has(topic)) };
  }

  /**
   * Says where dead letters go, if that has changed. `changing`: a queue that is being declared or deleted.
   */
  noteLetters(changing: string | undefined): void {
    for (const topic of this.#run.broker.topics.values()) {
      const key = keyOf(topic);
      const letters = this.#traits.get(key)?.letters;
      if (!letters) continue;
      const { sure, unsure } = this.way(letters.exchange, letters.key ?? '');
      const isSure = unsure.length === 0 && changing !== lettersQueue;
      const to = isSure ? sure.map(keyOf) : undefined;
      const text = JSON.stringify(to ?? null);
      if (this.#letters.get(key) === text) continue;
      this.#letters.set(key, text);
      this.#run.note({ kind: 'letters-go', topic: key, to });
    }
  }
}

function idOf(exchange: string, topic: Topic, key: string): string {
  return `${exchange} ${keyOf(topic)} ${key}`;
}

function fits(exchange: ExchangeName, pattern: string, key: string): boolean {
  switch (exchanges[exchange]) {
    case 'fanout':
      return true;
    case 'direct':
      return pattern === key;
    default:
      return fitsWords(pattern.split('.'), key.split('.'));
  }
}

/** `*` is a word, and `#` any number of words. */
function fitsWords([first, ...rest]: readonly string[], words: readonly string[]): boolean {
  if (first === undefined) return words.length === 0;
  if (first === '#')
    return fitsWords(rest, words) || (words.length > 0 && fitsWords(['#', ...rest], words.slice(1)));
  return words.length > 0 && (first === '*' || first === words[0]) && fitsWords(rest, words.slice(1));
}
