import assert from 'node:assert/strict';
import { Router } from '../../../src/broker/index.ts';
import {
  SeededRandom,
  isPublishSubject,
  isSubscribeSubject,
  subjectMatches,
} from '../../../src/util/index.ts';
import type { Target } from '../target.ts';

/** Subjects and patterns, one a line: the router's tree must agree with the definition of a match. */
export const subjects: Target = {
  name: 'subjects',
  words: ['.', '*', '>', 'a', '\n', '.*', '.>', '*.', 'a.b', '..', ' '],
  seeds: () => [Buffer.from('a.b\na.*\n>\na.>\n*.b\na.b.c'), Buffer.from('x\nx.y\n*\n*.*')],
  prepare: () => (input) => {
    const lines = input.toString('utf8').split('\n').slice(0, 40);
    const router = new Router<object>(new SeededRandom(1));
    const patterns = [...new Set(lines)].filter(isSubscribeSubject);
    const subscriptions = patterns.map((pattern) =>
      router.subscribe(pattern, undefined, {
        congested: false,
        receive: () => true,
        whenDrained: () => undefined,
      }),
    );
    const check = (): void => {
      for (const subject of lines.filter(isPublishSubject)) {
        const heard = router.matchSubject(subject).subscriptions.map(({ pattern }) => pattern);
        const expected = subscriptions
          .filter(({ active, pattern }) => active && subjectMatches(pattern, subject))
          .map(({ pattern }) => pattern);
        assert.deepEqual(heard.sort(), expected.sort(), subject);
      }
    };
    check();
    for (const subscription of subscriptions.slice(0, subscriptions.length / 2))
      router.unsubscribe(subscription);
    check();
  },
};
