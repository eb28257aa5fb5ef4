import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type {
  Delivery,
  DeliveryBroker,
  DeliveryCapability,
  DeliveryConsumer,
  DeliveryDriver,
} from './delivery-driver.ts';

/** Long enough never to pass within a test. */
export const NEVER_MS = 3_600_000;
/** How long a message that must come may take. */
const COMES_MS = 20_000;
/** How long to wait for one that must not come. */
const STAYS_AWAY_MS = 1000;

/** A fact is a test with a sentence as its name, skipped visibly if the driver lacks a capability. */
export function defineFact(
  driver: DeliveryDriver,
  name: string,
  needs: readonly DeliveryCapability[],
  body: () => Promise<void>,
): void {
  test(name, (t: TestContext) => {
    const missing = needs.filter((capability) => !driver.capabilities[capability]);
    if (missing.length > 0) return t.skip(`${driver.protocol}: no ${missing.join(', ')}`);
    return body();
  });
}

export function text(message: { readonly value: Uint8Array } | undefined): string | undefined {
  return message && Buffer.from(message.value).toString();
}

export function valuesOf(message: Pick<Delivery, 'headers'>, name: string): string[] {
  return message.headers.filter(([key]) => key === name).map(([, value]) => value);
}

/** "1".."count": the values of test messages. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${i + 1}`);
}

export function sortNumbers(values: Iterable<string | undefined>): string[] {
  return [...values].map((value) => value ?? '').sort((a, b) => Number(a) - Number(b));
}

export async function receive(consumer: DeliveryConsumer): Promise<Delivery> {
  return (await consumer.receive(COMES_MS)) ?? assert.fail('no message came');
}

export async function expectNothing(consumer: DeliveryConsumer): Promise<void> {
  assert.equal(text(await consumer.receive(STAYS_AWAY_MS)), undefined);
}

/** Acks all that comes to the consumer until the queue is empty, and returns it. */
export async function drainQueue(
  broker: DeliveryBroker,
  topic: string,
  consumer: DeliveryConsumer,
): Promise<string[]> {
  const received: string[] = [];
  for (;;) {
    const delivery = await consumer.receive(STAYS_AWAY_MS);
    if (delivery !== undefined) {
      received.push(text(delivery) ?? '');
      await delivery.ack();
    } else if ((await broker.countStored(topic)) === 0) {
      return received;
    }
  }
}
