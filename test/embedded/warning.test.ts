import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailureWarnings } from '../../src/embedded/warning.ts';
import { VirtualClock } from '../../src/index.ts';
import { runScript } from './script.ts';

const start = `
  const box = await open();
  const topic = await box.topic('orders');
  const group = await topic.group('billing', { maxDeliver: 1, deadLetter: false });
`;

test('an error of a handler is a warning of one line if there is no onError', async () => {
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

test('a handler that fails on everything does not flood the process, and the rest is counted', async () => {
  const { errors } = await runScript(`${start}
    group.consume(() => { throw new Error('again') });
    await topic.publishBatch(Array.from({ length: 1000 }, (_, i) => i));
    await group.drained();
    await box.close();
  `);
  assert.equal(errors.split('\n').filter((line) => line.includes('again')).length, 10);
  const clock = new VirtualClock();
  const told: string[] = [];
  const warnings = new FailureWarnings(clock, (text) => told.push(text));
  for (let i = 0; i < 25; i++)
    warnings.warn('A handler of "g" failed', `A handler of "g" failed, offset ${i}`);
  warnings.warn('A handler of "h" failed', 'A handler of "h" failed, offset 0');
  assert.equal(told.length, 11);
  clock.advance(10_000);
  assert.deepEqual(told.slice(11), ['A handler of "g" failed, 15 times more in 10 s']);
  warnings.warn('A handler of "g" failed', 'A handler of "g" failed, offset 25');
  assert.equal(told.length, 13, 'the next is told again');
});
