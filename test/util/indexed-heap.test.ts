import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { IndexedHeap } from '../../src/util/index.ts';

class Item {
  heapIndex = -1;
  key: number;
  constructor(key: number) {
    this.key = key;
  }
}

function heap(): IndexedHeap<Item> {
  return new IndexedHeap((a, b) => a.key < b.key);
}

function drain(items: IndexedHeap<Item>): number[] {
  const keys: number[] = [];
  for (let item = items.peek(); item; item = items.peek()) {
    keys.push(item.key);
    items.remove(item);
    assert.equal(item.heapIndex, -1);
  }
  return keys;
}

const ascending = (a: number, b: number): number => a - b;

describe('an indexed heap', () => {
  test('gives the least first, whatever was removed or moved in between', () => {
    const step = fc.record({ at: fc.nat(), key: fc.option(fc.nat({ max: 50 })) });
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 })), fc.array(step), (keys, steps) => {
        const items = heap();
        const left = keys.map((key) => new Item(key));
        for (const item of left) items.push(item);
        for (const { at, key } of steps) {
          if (left.length === 0) break;
          const item = left[at % left.length]!;
          if (key === null) {
            items.remove(item);
            left.splice(at % left.length, 1);
          } else {
            item.key = key;
            items.moved(item);
          }
          assert.equal(items.size, left.length);
        }
        const expected = left.map(({ key }) => key).toSorted(ascending);
        assert.deepEqual(drain(items), expected);
      }),
    );
  });

  test('an item of no heap is not removed from one', () => {
    const items = heap();
    items.push(new Item(1));
    items.remove(new Item(1));
    assert.equal(items.size, 1);
  });

  test('a cleared heap knows none of its items', () => {
    const items = heap();
    const item = new Item(1);
    items.push(item);
    items.clear();
    items.remove(item);
    items.push(item);
    assert.deepEqual(drain(items), [1]);
  });
});
