import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { connect, json, text, type Delivery, type Topic } from '../../src/client/index.ts';

interface Order {
  readonly id: number;
  readonly customer?: string;
}

// Code that compiles here compiles for users, and each @ts-expect-error is a mistake that the compiler finds
// for them.

test('a topic has the type that it is given', async () => {
  await using client = await connect('memory:');
  const orders: Topic<Order> = await client.topic<Order>('orders');
  await orders.publish({ id: 1 });
  // @ts-expect-error: id is a number
  await orders.publish({ id: 'one' });
  // @ts-expect-error: an order has an id
  await orders.publish({ customer: 'ada' });
  await orders.publishEach([{ id: 2 }, { id: 3 }], { headers: { Trace: 't' } });
  // @ts-expect-error: an order has no such member
  await client.topic<Order>('orders', { key: (order) => order.number });
  // @ts-expect-error: no such setting
  await assert.rejects(client.topic('orders', { ageMax: 5 }), { code: 'option-invalid' });
  // @ts-expect-error: a codec has its own type
  await client.topic<Order>('orders', { codec: text });
  // @ts-expect-error: no such setting
  await assert.rejects(orders.group('billing', { retries: 5 }), { code: 'option-invalid' });
});

test('a schema gives the types of what is published and of what is consumed', async () => {
  await using client = await connect('memory:');
  const schema = z.object({ id: z.number(), at: z.string().transform((text) => new Date(text)) });
  const events = await client.topic('events', { schema });
  await events.publish({ id: 1, at: '2026-01-01T00:00:00Z' });
  // @ts-expect-error: it is published as text
  await assert.rejects(events.publish({ id: 2, at: new Date() }), { code: 'value-invalid' });
  const message = await (await events.group('g')).next();
  const year: number | undefined = message?.value.at.getUTCFullYear();
  assert.equal(year, 2026);
});

test('deliveries and dead letters have the type of the topic', async () => {
  await using client = await connect('memory:');
  const orders = await client.topic('orders', { codec: json<Order>() });
  const group = await orders.group('g', { maxDeliver: 1 });
  await orders.publish({ id: 7 });
  group.consume(
    (message: Delivery<Order>, { signal }) => {
      const id: number = message.value.id;
      // @ts-expect-error: nothing but an order
      void message.value.title;
      signal.throwIfAborted();
      throw new Error(String(id));
    },
    { onError: () => {} },
  );
  await group.drained();
  for await (const letter of group.deadLetters.browse()) {
    const id: number = letter.value.id;
    assert.equal(id, 7);
    // @ts-expect-error: nothing but an order
    void letter.value.title;
  }
});
