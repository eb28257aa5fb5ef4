import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LevelQueue } from '../../../src/broker/groups/level-queue.ts';

test('the highest level comes first, and each level in the order of arrival', () => {
  const queue = new LevelQueue<{ readonly level: number; readonly name: string }>();
  assert.equal(queue.peek(), undefined);
  assert.equal(queue.shift(), undefined);
  for (const [at, level] of [0, 3, 1, 3, 0, 255].entries()) queue.push({ level, name: `${level}-${at}` });
  assert.deepEqual([queue.size, queue.level, [...queue.levels()]], [6, 255, [255, 3, 1, 0]]);
  assert.equal(queue.peekOf(1)?.name, '1-2');
  assert.equal(queue.shiftOf(1)?.name, '1-2');
  const names: string[] = [];
  for (let item = queue.shift(); item; item = queue.shift()) names.push(item.name);
  assert.deepEqual(names, ['255-5', '3-1', '3-3', '0-0', '0-4']);
  queue.push({ level: 2, name: 'again' });
  queue.clear();
  assert.deepEqual([queue.size, queue.level, queue.peek()], [0, 0, undefined]);
});
