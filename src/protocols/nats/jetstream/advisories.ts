import type { BrokerEvent, DeliveryEvent, Group, Topic } from '../../../broker/index.ts';
import type { Context } from './context.ts';
import { freshId } from './ids.ts';
import { assetName } from './names.ts';
import { tellPinned, tellUnpinned } from './priority-groups.ts';
import { sequenceOf } from './sequence.ts';
import { timeMs, timeText, zeroTime } from './time.ts';

const prefix = '$JS.EVENT.ADVISORY';

/**
 * Advisories report events of streams, consumers and deliveries. An advisory is made only if it has a
 * subscriber or a stream that captures it.
 */
export class Advisories {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  tell(event: BrokerEvent): void {
    switch (event.kind) {
      case 'topic-created':
        return this.#streamAction(event.topic, 'CREATED', 'create');
      case 'topic-updated':
        return this.#streamAction(event.topic, 'UPDATED', 'modify');
      case 'topic-deleted':
        for (const group of event.topic.groups.values()) this.#consumerAction(group, 'DELETED', 'delete');
        return this.#streamAction(event.topic, 'DELETED', 'delete');
      case 'group-created':
        return this.#consumerAction(event.group, 'CREATED', 'create');
      case 'group-updated':
        return this.#consumerAction(event.group, 'UPDATED', 'modify');
      case 'group-deleted':
        return this.#consumerAction(event.group, 'DELETED', 'delete');
      case 'group-paused':
      case 'group-resumed':
        return this.#pause(event.group);
      case 'max-deliveries':
        return this.#delivery(event, 'MAX_DELIVERIES', 'max_deliver', {});
      case 'nacked':
        return this.#delivery(event, 'MSG_NAKED', 'nak', { consumer_seq: event.sequence });
      case 'rejected':
        return this.#delivery(event, 'MSG_TERMINATED', 'terminated', {
          consumer_seq: event.sequence,
          ...(event.reason === '' ? {} : { reason: event.reason }),
        });
      case 'active-changed':
        return this.#active(event);
      case 'dead-lettered':
      case 'removed':
      case 'failed':
      case 'clock-jumped':
        return; // nats-server has none: the dead-letter topic shows it; or the process ends
    }
  }

  #streamAction(topic: Topic, what: string, action: string): void {
    const stream = assetName(topic.name);
    this.#send(`STREAM.${what}.${stream}`, 'stream_action', { stream, action });
  }

  #consumerAction(group: Group, what: string, action: string): void {
    const names = namesOf(group);
    this.#send(`CONSUMER.${what}.${names.stream}.${names.consumer}`, 'consumer_action', { ...names, action });
  }

  #pause(group: Group): void {
    const names = namesOf(group);
    const { paused, pausedUntilMs } = group.config;
    const until = pausedUntilMs === undefined ? zeroTime : timeText(pausedUntilMs);
    this.#send(`CONSUMER.PAUSE.${names.stream}.${names.consumer}`, 'consumer_pause', {
      ...names,
      paused: paused && (timeMs(until) ?? Infinity) > this.#context.clock.now(),
      pause_until: until,
    });
  }

  #active({ group, active, former, why }: Extract<BrokerEvent, { kind: 'active-changed' }>): void {
    if (active?.member !== undefined) tellPinned(this.#context, group, active.member);
    if (former?.member === undefined) return;
    if (why === 'silent') tellUnpinned(this.#context, group, 'timeout');
    if (why === 'released') tellUnpinned(this.#context, group, 'admin');
  }

  #delivery(event: DeliveryEvent, what: string, type: string, further: object): void {
    const names = namesOf(event.group);
    this.#send(`CONSUMER.${what}.${names.stream}.${names.consumer}`, type, {
      ...names,
      stream_seq: sequenceOf(event.partition, event.offset),
      deliveries: event.deliveries,
      ...further,
    });
  }

  #send(subject: string, type: string, members: object): void {
    this.#context.outlet.advisory(`${prefix}.${subject}`, () => ({
      type: `io.nats.jetstream.advisory.v1.${type}`,
      id: freshId(this.#context.random),
      timestamp: timeText(this.#context.clock.now()),
      ...members,
    }));
  }
}

function namesOf(group: Group): { readonly stream: string; readonly consumer: string } {
  return { stream: assetName(group.topic.name), consumer: assetName(group.name) };
}
