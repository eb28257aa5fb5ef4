import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runScript } from './script.ts';

const start = `
  const box = await open();
  const topic = await box.topic('orders');
  const group = await topic.group('billing', { maxDeliver: 1, deadLetter: false });
`;

test('what a handler throws is a warning of one line when there is no onError', async () => {
  const { code, errors } = await runScript(`${start}
    group.consume(() => { throw new Error('cannot\\n\\u001b[31mbe done'); });
    await topic.publish('x');
    await group.drained();
    await box.close();
  `);
  const lines = errors.split('\n').filter((line) => line.includes('billing'));
  assert.equal(code, 0);
  assert.equal(lines.length, 1, errors);
  assert.match(
    lines[0]!,
    /PillarboxWarning: A handler of group "billing" failed on topic "orders", offset 0 \(partition 0, delivery 1\): Error: cannot\\n\\x1b\[31mbe done$/,
  );
});

test('a batch handler and a handler of live requests warn too', async () => {
  const { errors } = await runScript(`${start}
    group.consumeBatches(() => { throw new Error('no batch'); });
    await topic.publishBatch([1, 2, 3]);
    await group.drained();
    box.live.respond('sum', () => { throw new Error('no sum'); });
    await box.live.request('sum', []).catch(() => {});
    await box.close();
  `);
  assert.match(
    errors,
    /group "billing" failed on topic "orders", offset 0 \(partition 0, delivery 1\) and 2 more: Error: no batch/,
  );
  assert.match(errors, /A handler of live requests failed on "sum": Error: no sum/);
});

test('nothing is warned of where onError hears it, or where the error is an answer', async () => {
  const { errors } = await runScript(`${start}
    group.consume(() => { throw new Error('heard'); }, { onError: () => {} });
    await topic.publish('x');
    await group.drained();
    const answering = await topic.group('answering', { maxDeliver: 1, start: 'new', deadLetter: false });
    answering.consume(() => { throw new pillarbox.RejectError('nonsense'); });
    await topic.publish('y');
    await answering.drained();
    const stopping = await topic.group('stopping', { start: 'new', maxDeliver: 1, deadLetter: false });
    const started = new Promise((resolve) => {
      stopping.consume((_, { signal }) => new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        resolve();
      }));
    });
    await topic.publish('z');
    await started;
    await box.close();
  `);
  assert.equal(errors, '');
});
