import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, VirtualClock } from '../../src/index.ts';
import { runScript } from './script.ts';
import { Gate, settle } from './kit.ts';

test('close ends the process in order when a handler waits for nothing but its signal', async () => {
  const { code, output } = await runScript(`
    const box = await open();
    const topic = await box.topic('orders');
    await topic.publish('x');
    const started = new Promise((resolve) => {
      topic.group('g').then((group) => group.consume((_, { signal }) => {
        resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => {
          console.log('told');
          reject(signal.reason);
        }));
      }));
    });
    await started;
    await box.close();
    console.log('closed');
  `);
  assert.deepEqual([code, output], [0, 'told\nclosed\n']);
});

test('close ends the process in order when a handler hears nothing', async () => {
  const { code, output } = await runScript(`
    const box = await open();
    const topic = await box.topic('orders');
    await topic.publish('x');
    const group = await topic.group('g');
    await new Promise((resolve) => group.consume(() => (resolve(), new Promise(() => {}))));
    await box.close({ timeoutMs: 100 });
    console.log('closed');
  `);
  assert.deepEqual([code, output], [0, 'closed\n']);
});

test('handlers hear at once that the box closes, and may still finish', async () => {
  const box = await open();
  const topic = await box.topic('orders', { retention: 'queue' });
  await topic.publish('x');
  const group = await topic.group('g');
  const heard: unknown[] = [];
  await new Promise<void>((started) => {
    group.consume(async (_, { signal }) => {
      started();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      heard.push((signal.reason as Error).name);
    });
  });
  await box.close({ timeoutMs: 60_000 });
  assert.deepEqual(heard, ['AbortError']);
  assert.equal(topic.count, 0, 'what it finished is acked');
});

test('close does not wait for a virtual clock', async () => {
  const clock = new VirtualClock();
  const box = await open({ clock });
  const topic = await box.topic('orders');
  await topic.publish(1);
  (await topic.group('g')).consume(() => new Promise(() => {}));
  await settle();
  await box.close({ timeoutMs: 20 });
  assert.equal(clock.now(), new VirtualClock().now(), 'no time has passed');
});

/** One message of a queue that is given up after one failure, and how often its handlers were called. */
async function withOneTry() {
  const box = await open({ clock: new VirtualClock() });
  const topic = await box.topic('orders', { retention: 'queue' });
  await topic.publish('x');
  const group = await topic.group('g', { maxDeliver: 1 });
  const started = new Gate();
  return { box, topic, group, started };
}

test('a handler that a close stops has not failed: its message comes again', async () => {
  const stops = [
    (signal: AbortSignal): unknown => signal.reason as unknown,
    (signal: AbortSignal): unknown => new Error('the request was cut off', { cause: signal.reason }),
  ];
  for (const errorOf of stops) {
    const { box, topic, group, started } = await withOneTry();
    const subscription = group.consume(
      (_, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(errorOf(signal)));
          started.open();
        }),
      { onError: () => {} },
    );
    await started.passed;
    await subscription.close();
    assert.deepEqual([topic.count, box.topics], [1, ['orders']]);
    assert.equal((await group.next({ waitMs: 0 }))?.value, 'x');
    await box.close();
  }
});

test('a handler that hears nothing loses its message to the next at the end of the grace, and without a failure', async () => {
  const { box, group, started } = await withOneTry();
  const subscription = group.consume(() => (started.open(), new Promise(() => {})));
  await started.passed;
  await subscription.close({ timeoutMs: 1 });
  assert.equal((await group.next({ waitMs: 0 }))?.value, 'x');
  await box.close();
});

test('a handler that fails by itself while its subscription closes has failed', async () => {
  const { box, group, started } = await withOneTry();
  const fail = new Gate();
  const subscription = group.consume(
    async () => {
      started.open();
      await fail.passed;
      throw new Error('no such customer');
    },
    { onError: () => {} },
  );
  await started.passed;
  const closed = subscription.close();
  fail.open();
  await closed;
  await settle();
  assert.deepEqual(box.topics, ['orders', 'orders-g-dlq']);
  await box.close();
});

test('messages fetched ahead and never handed out have not failed', async () => {
  const { box, topic, group } = await withOneTry();
  await topic.publish('y');
  const loop = group.deliveries({ prefetch: 5 });
  await settle();
  await loop.close();
  const batches = group.batches({ messagesMax: 10, waitMs: 1000 });
  const collecting = batches.next();
  await settle();
  await batches.close();
  assert.equal((await collecting).done, true);
  const subscription = group.consume(() => assert.fail('it is closed'));
  queueMicrotask(() => void subscription.close());
  await settle();
  for (const value of ['x', 'y']) assert.equal((await group.next({ waitMs: 0 }))?.value, value);
  assert.deepEqual(box.topics, ['orders']);
  await box.close();
});

test('handlers of live requests hear of the close at once, and are waited for', async () => {
  for (const closes of ['responder', 'box'] as const) {
    const box = await open();
    const started = new Gate();
    const events: string[] = [];
    const responder = box.live.respond('slow', async (_, { signal }) => {
      started.open();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      events.push(`told: ${(signal.reason as Error).name}`);
      await settle();
      events.push('done');
      return 'finished';
    });
    const answers = box.live.subscribe('answers');
    box.live.publish('slow', 1, { reply: 'answers' });
    await started.passed;
    await (closes === 'box' ? box : responder).close();
    events.push('closed');
    assert.deepEqual(events, ['told: AbortError', 'done', 'closed']);
    if (closes === 'responder') assert.equal((await answers.next()).value?.value, 'finished');
    await box.close();
  }
});

test('a responder with a deaf handler closes at the end of the grace', async () => {
  const box = await open();
  const started = new Gate();
  const responder = box.live.respond('stuck', () => (started.open(), new Promise(() => {})));
  box.live.publish('stuck', 1);
  await started.passed;
  assert.equal(responder.running, 1);
  await responder.close({ timeoutMs: 1 });
  assert.equal(responder.running, 0);
  assert.equal(box.live.publish('stuck', 1), 0);
  await box.close();
});
