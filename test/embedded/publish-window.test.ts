import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, MemoryFiles, recordOf } from '../../src/broker/index.ts';
import { PublishWindow } from '../../src/embedded/publish-window.ts';

test('a publish window has an end, and room again when those in it are on disk', async () => {
  await using broker = await Broker.open({ dir: '/data', files: new MemoryFiles() });
  const topic = await broker.createTopic({ name: 't' });
  const window = new PublishWindow(broker, 2, 3);
  const outcomes: string[] = [];
  const enter = (name: string, count: number): Promise<void> =>
    new Promise((resolve) => {
      const waiter = (published: string): void => {
        outcomes.push(`${name} ${published}`);
        resolve();
      };
      const begin = (): void => {
        for (let i = 0; i < count; i++) {
          const message = { record: recordOf({ value: name }), options: undefined };
          window.publish(topic, message, {
            resolve: () => waiter('published'),
            reject: () => waiter('refused'),
          });
        }
      };
      window.enter({
        count,
        begin,
        signal: undefined,
        reject: (error) => waiter((error as { code: string }).code),
      });
    });
  const done = [enter('a', 2), enter('b', 1), enter('c', 2), enter('too many', 1)];
  assert.deepEqual([window.unacked, outcomes], [2, ['too many memory-full']]);
  await Promise.all(done);
  assert.deepEqual(
    outcomes.filter((outcome) => !outcome.startsWith('too')).map((outcome) => outcome[0]),
    ['a', 'a', 'b', 'c', 'c'],
  );
  assert.equal(window.unacked, 0);
  await enter('d', 3);
  assert.equal(topic.count, 8);
});

test('an exception of a topic is a refusal, and leaves the window', async () => {
  await using broker = await Broker.open({ dir: '/data', files: new MemoryFiles() });
  const topic = await broker.createTopic({ name: 't' });
  topic.publish = () => {
    throw new Error('broken');
  };
  const window = new PublishWindow(broker, 1);
  const refused = new Promise((_, reject) => {
    const message = { record: recordOf({ value: '' }), options: undefined };
    const begin = (): void => window.publish(topic, message, { resolve: () => {}, reject });
    window.enter({ count: 1, begin, signal: undefined, reject });
  });
  await assert.rejects(refused, { message: 'broken' });
  assert.equal(window.unacked, 0);
});
