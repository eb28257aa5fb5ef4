import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, VirtualClock } from '../../src/index.ts';
import { runScript } from './script.ts';
import { settle } from './kit.ts';

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
