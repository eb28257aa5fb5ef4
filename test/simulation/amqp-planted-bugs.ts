import type { PlantedBug } from './planted-bug.ts';

/** Bugs that only AMQP clients see. */
export const amqpPlantedBugs: readonly PlantedBug[] = [
  // ---- publishes
  {
    name: 'amqp: a publish is confirmed before it is on disk',
    file: 'protocols/amqp/handlers/publish.js',
    find: 'topics[0].publish(record, undefined, listener, tag);',
    replace: '{ topics[0].publish(record, undefined, deaf, tag); listener.published(tag, 0, 0, false); }',
  },
  {
    name: 'amqp: a queue of a fanout is left out',
    file: 'protocols/amqp/handlers/publish.js',
    find: "broker.publishToAll(topics, record, options, 'all-or-none', toAll, { listener, tag });",
    replace:
      "broker.publishToAll(topics.slice(0, 2), record, options, 'all-or-none', toAll, { listener, tag });",
  },
  {
    name: 'amqp: a message without a queue does not come back',
    file: 'protocols/amqp/handlers/publish.js',
    find: 'if (route.topics.length === 0 && target.mandatory)',
    replace: 'if (false)',
  },
  {
    name: 'amqp: a publish that is refused is confirmed',
    file: 'protocols/amqp/confirms.js',
    find: 'this.#host.nack(tag);',
    replace: 'this.#host.ack(tag, false);',
  },
  {
    name: 'amqp: a confirm covers the next publish',
    file: 'protocols/amqp/confirms.js',
    find: 'this.#host.ack(this.#doneUpTo, covers > 1);',
    replace: 'this.#host.ack(this.#lastTag, true);',
  },
  // ---- exchanges
  {
    name: 'amqp: a binding is not stored',
    file: 'protocols/amqp/exchanges/exchanges.js',
    find: 'await this.#store.keepBinding(binding).catch',
    replace: 'await Promise.resolve().catch',
  },
  {
    name: 'amqp: an exchange is not stored',
    file: 'protocols/amqp/exchanges/exchanges.js',
    find: 'await this.#store.keepExchange(definition).catch',
    replace: 'await Promise.resolve().catch',
  },
  {
    name: 'amqp: a binding that was taken away comes back',
    file: 'protocols/amqp/exchanges/exchanges.js',
    find: 'const gone = isDurable ? [this.#store.forgetBinding(binding)] : [];',
    replace: 'const gone = [];',
  },
  // ---- deliveries
  {
    name: 'amqp: what was given back does not say that it comes again',
    file: 'protocols/amqp/delivery-writer.js',
    find: 'deliveries > 1 ? 1 : 0;',
    replace: 'attempt > 1 ? 1 : 0;',
  },
  {
    name: 'amqp: a consumer gets more than its prefetch',
    file: 'protocols/amqp/consumer.js',
    find: 'Math.min(this.#prefetch - this.unacked, channel.deliveriesLeft)',
    replace: 'channel.deliveriesLeft',
  },
  {
    name: 'amqp: a channel gets more than its prefetch',
    file: 'protocols/amqp/channel.js',
    find: '(this.prefetch === 0 ? unackedMax : this.prefetch)',
    replace: 'unackedMax',
  },
  {
    name: 'amqp: a delivery tag is used again',
    file: 'protocols/amqp/unacked.js',
    find: 'return ++this.#lastTag;',
    replace: 'return this.#byTag.size + 1;',
  },
  // ---- answers
  {
    name: 'amqp: an ack of several takes one too many',
    file: 'protocols/amqp/unacked.js',
    find: 'if (tag !== 0 && each > tag)',
    replace: 'if (tag !== 0 && each > tag + 1)',
  },
  {
    name: 'amqp: an ack of several takes one too few',
    file: 'protocols/amqp/unacked.js',
    find: 'if (tag !== 0 && each > tag)',
    replace: 'if (tag !== 0 && taken.length > 0 && each >= tag)',
  },
  {
    name: 'amqp: a rejected message is acked',
    file: 'protocols/amqp/handlers/basic.js',
    find: "receipt.reject('rejected');",
    replace: 'receipt.ack();',
  },
  {
    name: 'amqp: a channel that ends keeps what it holds',
    file: 'protocols/amqp/channel.js',
    find: 'receipt.release();',
    replace: ';',
  },
  {
    name: 'amqp: a recovery passes the first delivery over',
    file: 'protocols/amqp/handlers/basic.js',
    find: 'channel.answer(channel.unacked.takeAll(), ',
    replace: 'channel.answer(channel.unacked.takeAll().slice(1), ',
  },
  // ---- transactions
  {
    name: 'amqp: a publish of a transaction does not wait for the commit',
    file: 'protocols/amqp/handlers/publish.js',
    find: 'transaction.publish([{ topics, options }], record);',
    replace:
      "session.host.broker.publishToAll(topics, record, options, 'all-or-none', toAll, { listener: deaf, tag: 0 });",
  },
  {
    name: 'amqp: the acks of a transaction are in the next commit',
    file: 'protocols/amqp/transaction.js',
    find: 'for (const held of answers)\n            answer(...held);',
    replace: 'host.broker.afterCommit(() => { for (const held of answers) answer(...held); });',
  },
  {
    name: 'amqp: a transaction is two commits',
    file: 'protocols/amqp/transaction.js',
    find: 'for (const held of answers)\n            answer(...held);\n        done.push(new Promise((resolve) => host.broker.afterCommit(resolve)));',
    replace:
      'done.push(new Promise((resolve) => host.broker.afterCommit(() => { for (const held of answers) answer(...held); host.broker.afterCommit(resolve); })));',
  },
  {
    name: 'amqp: a commit is answered before the acks are on disk',
    file: 'protocols/amqp/transaction.js',
    find: 'done.push(new Promise((resolve) => host.broker.afterCommit(resolve)));',
    replace: ';',
  },
  {
    name: 'amqp: what was answered in a transaction is lost with it',
    file: 'protocols/amqp/channel.js',
    find: 'this.unacked.putBack(this.transaction.rollBack());',
    replace: 'this.transaction.rollBack();',
  },
  // ---- dead letters
  {
    name: 'amqp: dead letters by the default exchange are lost',
    file: 'protocols/amqp/dead-letters.js',
    find: 'return routingKeys.flatMap((key) => exchanges.queueNamed(key) ?? []);',
    replace: 'return [];',
  },
  {
    name: 'amqp: a dead-letter exchange is asked for the name of the queue',
    file: 'protocols/amqp/dead-letters.js',
    find: 'const exchange = exchanges.get(name);',
    replace: 'const exchange = exchanges.get(message.topic.name);',
  },
];
