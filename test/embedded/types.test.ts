import assert from 'node:assert/strict';
import { test } from 'node:test';
import { json, text, type Delivery, type Topic } from '../../src/index.ts';
import { openTestBox } from './kit.ts';

interface Order {
  readonly id: number;
  readonly customer?: string;
}

// Code that compiles here compiles for users, and each @ts-expect-error is a mistake that the compiler finds
// for them.

test('a topic has the type it is given', async () => {
  await using t = await openTestBox();
  const orders: Topic<Order> = await t.box.topic<Order>('orders');
  await orders.publish({ id: 1 });
  // @ts-expect-error: id is a number
  await orders.publish({ id: 'one' });
  await t.box.topic<Order>('orders', { messagesMax: 10, key: (order) => String(order.id) });
  // @ts-expect-error: an order has no such member
  await t.box.topic<Order>('orders', { key: (order) => order.number });
  const inferred = await t.box.topic('orders', { key: (order: Order) => String(order.id) });
  await inferred.publish({ id: 2, customer: 'ada' });
  const untyped: Topic<unknown> = await t.box.topic('orders', { retention: 'limits' });
  // @ts-expect-error: no such setting
  await assert.rejects(t.box.topic('orders', { ageMax: 5 }), { code: 'topic-config-invalid' });
  // @ts-expect-error: a codec has its own type
  await t.box.topic<Order>('orders', { codec: text });
  await untyped.delete();
});

test('deliveries and dead letters have the type of the topic', async () => {
  await using t = await openTestBox();
  const orders = await t.box.topic<Order>('orders');
  const group = await orders.group('g');
  await orders.publish({ id: 7 });
  group.consume((message: Delivery<Order>) => {
    const id: number = message.value.id;
    assert.equal(id, 7);
    // @ts-expect-error: nothing but an order
    void message.value.title;
  });
  await group.drained();
  for await (const letter of t.box.deadLetters<Order>('orders-g-dlq').browse()) void letter.value.id;
});

test('live requests have the type they are given', async () => {
  await using t = await openTestBox();
  const { live } = t.box;
  live.respond<number[]>('sum', (message) => message.value.reduce((a, b) => a + b));
  const sum = await live.request<number>('sum', [1, 2, 3]);
  assert.equal(sum.value + 1, 7);
  // @ts-expect-error: the answer is a number
  void (sum.value.length as unknown);
  const coded = await live.request('sum', [1], { codec: json<number[]>() });
  void coded.value.length;
  // @ts-expect-error: the codec takes numbers
  await live.request('sum', ['1'], { codec: json<number[]>() });
  const prices = live.subscribe<{ cents: number }>('prices.*');
  live.publish<{ cents: number }>('prices.tea', { cents: 310 });
  // @ts-expect-error: not a price
  live.publish<{ cents: number }>('prices.tea', { euros: 3 });
  const first = await prices.next();
  const cents: number | undefined = first.value?.value.cents;
  assert.equal(cents, 310);
  const words = live.subscribe('words', { codec: text });
  live.publish('words', 'tea', { codec: text });
  const word: string | undefined = (await words.next()).value?.value;
  assert.equal(word, 'tea');
});
