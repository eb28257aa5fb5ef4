/** Confirms against a model: every publish is answered once, and never before it is done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Confirms } from '../../../src/protocols/amqp/confirms.ts';

interface Step {
  readonly kind: 'next' | 'commit' | 'published' | 'refused';
  /** Which of the publishes under way ends. */
  readonly place: number;
}

const kinds = ['next', 'next', 'next', 'commit', 'published', 'published', 'published', 'refused'] as const;
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ kind: fc.constantFrom(...kinds), place: fc.constantFrom(0, 0, 0, 1, 2, 5) }),
  { maxLength: 60 },
);

test('every publish is answered once, when it has ended, whatever the order', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const underWay: number[] = [];
      const ended = new Map<number, 'ack' | 'nack'>();
      const answers = new Map<number, 'ack' | 'nack'>();
      const answer = (tag: number, kind: 'ack' | 'nack'): void => {
        assert.equal(answers.get(tag), undefined, `${tag} was answered twice`);
        assert.equal(ended.get(tag), kind, `${tag} has not ended so`);
        answers.set(tag, kind);
      };
      let floor = 0;
      const confirms = new Confirms({
        ack: (tag, multiple) => {
          if (!multiple) return answer(tag, 'ack');
          assert.ok(tag > floor, 'an ack of several covers some');
          for (let each = floor + 1; each <= tag; each++) if (!answers.has(each)) answer(each, 'ack');
          floor = tag;
        },
        nack: (tag) => answer(tag, 'nack'),
      });
      const end = (kind: 'published' | 'refused', place: number): void => {
        const [tag] = underWay.splice(Math.min(place, underWay.length - 1), 1);
        if (tag === undefined) return;
        ended.set(tag, kind === 'published' ? 'ack' : 'nack');
        if (kind === 'published') confirms.published(tag);
        else confirms.refused(tag);
      };
      const commit = async (): Promise<void> => {
        await Promise.resolve();
        await Promise.resolve();
        assert.equal(confirms.unconfirmed, underWay.length);
        assert.deepEqual([...answers.keys()].toSorted(byNumber), [...ended.keys()].toSorted(byNumber));
      };
      for (const step of script) {
        if (step.kind === 'next') underWay.push(confirms.next());
        else if (step.kind === 'commit') await commit();
        else if (underWay.length > 0) end(step.kind, step.place);
      }
      await commit();
    }),
    { numRuns: 300 },
  );
});

function byNumber(one: number, other: number): number {
  return one - other;
}
