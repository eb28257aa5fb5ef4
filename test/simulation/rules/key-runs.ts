import type { Examination } from '../examination.ts';
import type { DeliveryKnown, GroupKnown, Instance } from '../facts.ts';
import { mayBeRemoved } from '../losses.ts';
import { mayBeTooOld } from './expiry.ts';

/* Keys of groups with `ordering: 'key'`. */

/**
 * A key is with one consumer, with as many messages as allowed, and nothing of it goes before a message that
 * failed. `inFlight` are the other messages that are surely in flight, on all partitions.
 */
export function goesByKey(
  exam: Examination,
  group: GroupKnown,
  instance: Instance,
  consumer: number | undefined,
  inFlight: readonly DeliveryKnown[],
  text: string,
): void {
  const ofKey = inFlight.filter((delivery) => isOfKey(instance, delivery));
  const [other] = ofKey;
  if (ofKey.length >= Math.max(group.keyRunMax, group.keyConcurrencyMax))
    exam.broken('order per key', `${text}, while m${other!.instance.id} of its key is in flight`);
  if (group.keyConcurrencyMax > 1) return;
  const stranger = ofKey.find((delivery) => isOthers(delivery, consumer));
  if (stranger)
    exam.broken('a key is with one consumer', `${text}, while another has m${stranger.instance.id}`);
  const failedAt = group.keysFailedAt.get(keyIdOf(instance)) ?? -1;
  const earlier = ofKey.find(({ log }) => log.at(-1)!.at < failedAt);
  if (earlier)
    exam.broken('what fails ends the run', `${text}, while m${earlier.instance.id} of the run is in flight`);
  const failed = [...group.deliveries.values()].find(
    (delivery) =>
      group.topic.priorities <= 1 && // a message of a higher level goes first
      isOfKey(instance, delivery) &&
      delivery.instance.offset < instance.offset &&
      hasFailed(exam, group, delivery) &&
      !mayBeTooOld(exam, group, delivery.instance),
  );
  if (failed)
    exam.broken('what failed goes before the rest of its key', `${text}, before m${failed.instance.id}`);
  if (consumer === undefined) return;
  const keys = new Set(
    inFlight
      .filter((delivery) => delivery.consumer === consumer)
      .map((delivery) => keyIdOf(delivery.instance)),
  ).add(keyIdOf(instance));
  if (keys.size > group.keysPerConsumerMax)
    exam.broken('no more keys than allowed', `${text}, the ${keys.size}th key of its consumer`);
}

/** A consumer gave the message back, handled or not: its run is over. */
export function noteFailed(exam: Examination, group: GroupKnown, { instance }: DeliveryKnown): void {
  group.keysFailedAt.set(keyIdOf(instance), exam.at);
}

function keyIdOf({ partition, key }: Instance): string {
  return `${partition} ${key ?? ''}`;
}

function isOfKey({ partition, key }: Instance, { instance }: DeliveryKnown): boolean {
  return instance.partition === partition && instance.key === key;
}

function isOthers(delivery: DeliveryKnown, consumer: number | undefined): boolean {
  return consumer !== undefined && delivery.consumer !== undefined && delivery.consumer !== consumer;
}

/** It came back to the group in this run, and was not delivered since, nor is it done. */
function hasFailed(exam: Examination, group: GroupKnown, delivery: DeliveryKnown): boolean {
  const { log, answered, acked, rejected, deadLettered, instance } = delivery;
  const { run, count } = log.at(-1)!;
  if (run !== exam.known.run || acked || rejected || deadLettered > 0) return false;
  const isBack = answered || group.givenBack.has(delivery);
  const mayBeGivenUp = count >= group.maxDeliverMin;
  return isBack && !mayBeGivenUp && !mayBeRemoved(instance, exam.known, exam.wallMs);
}
