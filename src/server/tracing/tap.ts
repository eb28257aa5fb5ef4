import type { AttachOptions, Broker, Consumer, Delivery, Group, Topic } from '../../broker/index.ts';
import type { OpenDelivery, Settlement, Tracing } from './tracing.ts';
import type { OffsetTable } from './shelf.ts';

/**
 * Lets tracing see the publishes, deliveries and answers of a broker, for all protocols in one place: methods
 * of its topics, groups and consumers are replaced by ones that look first and then call the original. So a
 * broker without tracing pays nothing.
 *
 * It has to be done before any client is let in. Topics and groups that are made later are followed by the
 * events of the broker. Returns the function that ends this; what was replaced by then stays.
 */
export function tap(broker: Broker, tracing: Tracing): () => void {
  const tapped = new WeakSet<Topic | Group>();
  const follow = (group: Group): void => {
    if (tapped.has(group)) return;
    tapped.add(group);
    tapGroup(group, tracing);
  };
  const followTopic = (topic: Topic): void => {
    if (!tapped.has(topic)) tapTopic(topic, tracing);
    tapped.add(topic);
    for (const group of topic.groups.values()) follow(group);
  };
  for (const topic of broker.topics.values()) followTopic(topic);
  return broker.events.subscribe((event) => {
    if (event.kind === 'topic-created') followTopic(event.topic);
    else if (event.kind === 'group-created') follow(event.group);
  });
}

function tapTopic(topic: Topic, tracing: Tracing): void {
  const original = Object.getPrototypeOf(topic) as Topic;
  topic.publish = (record, options, listener, token) => {
    const told = tracing.publish(topic, record, listener) ?? listener;
    original.publish.call(topic, record, options, told, token);
  };
  // A publish to several topics at once, or by a schedule.
  topic.append = (admission, record, listener, token) => {
    const told = tracing.publish(topic, record, listener) ?? listener;
    original.append.call(topic, admission, record, told, token);
  };
  topic.publishBatch = (partition, batch, listener, token, transaction) => {
    const told = tracing.publishBatch(topic, partition, batch, listener) ?? listener;
    original.publishBatch.call(topic, partition, batch, told, token, transaction);
  };
}

/** The functions of consumers that look first. */
const looking = new WeakSet<object>();

/** Gives a consumer that is no instance of a class a prototype with its function. */
function bind(consumer: Consumer): void {
  const receive = consumer.receive.bind(consumer);
  Object.setPrototypeOf(
    consumer,
    Object.create(Object.getPrototypeOf(consumer) as object, { receive: { value: receive } }) as object,
  );
}

function tapGroup(group: Group, tracing: Tracing): void {
  const original = Object.getPrototypeOf(group) as Group;
  const deliveries = tracing.deliveries();
  const born = tracing.bornOf(group.topic);
  const tables = { deliveries, born };

  // One function for all consumers of the group: a pull is a consumer of its own, and there are many.
  const receive = function (this: Consumer, delivery: Delivery): void {
    const { record, partition } = delivery;
    if (record.hasHeaders || born.mayHave(partition, record.offset))
      tracing.delivered(group, delivery, this, tables);
    (Object.getPrototypeOf(this) as Consumer).receive.call(this, delivery);
  };
  looking.add(receive);
  group.attach = (consumer: Consumer, options?: AttachOptions) => {
    if (consumer.receive !== receive) {
      const own = Object.getOwnPropertyDescriptor(consumer, 'receive');
      if (own && !looking.has(own.value as object)) bind(consumer);
      consumer.receive = receive;
    }
    original.attach.call(group, consumer, options);
  };

  const settled = (how: Settlement, partition: number, offset: number): void =>
    settle(tracing, deliveries, how, partition, offset);
  group.ack = (partition, offset) => {
    const isDone = original.ack.call(group, partition, offset);
    if (isDone && deliveries.mayHave(partition, offset)) settled('ack', partition, offset);
    return isDone;
  };
  group.ackAll = (partition, offset) => {
    const isDone = original.ackAll.call(group, partition, offset);
    if (deliveries.size > 0 && isDone)
      for (const open of deliveries.takeRange(partition, 0, offset)) tracing.settled(open, 'ack', partition);
    return isDone;
  };
  group.nack = (partition, offset, delayMs, reason) => {
    const isDone = original.nack.call(group, partition, offset, delayMs, reason);
    if (deliveries.size > 0 && isDone) settled('nack', partition, offset);
    return isDone;
  };
  group.reject = (partition, offset, reason) => {
    const isDone = original.reject.call(group, partition, offset, reason);
    if (deliveries.size > 0 && isDone) settled('reject', partition, offset);
    return isDone;
  };
  group.giveBack = (partition, offset) => {
    const isDone = original.giveBack.call(group, partition, offset);
    if (deliveries.size > 0 && isDone) settled('release', partition, offset);
    return isDone;
  };
  group.postpone = (partition, offset, ms, scope) => {
    const isDone = original.postpone.call(group, partition, offset, ms, scope);
    if (deliveries.size > 0 && isDone) settled('postpone', partition, offset);
    return isDone;
  };
}

function settle(
  tracing: Tracing,
  deliveries: OffsetTable<OpenDelivery>,
  how: Settlement,
  partition: number,
  offset: number,
): void {
  const open = deliveries.take(partition, offset);
  if (open) tracing.settled(open, how, partition);
}
