import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  RejectError,
  RetryError,
  UnsupportedError,
  type Client,
  type ConnectOptions,
  type Delivery,
  type Feature,
  type Group,
  type GroupSettings,
  type Letter,
  type Topic,
} from '../../src/client/index.ts';
import { eventually, uniqueName } from '../support/index.ts';
import { killAfter } from './kill.ts';
import type { RunningTarget, TestTarget } from './target.ts';

// The facts of the client, which hold on every target: same code, same retries, same dead letters.

/** What a handler saw. */
interface Seen {
  readonly value: unknown;
  readonly deliveries: number;
}

/** A topic with a group, and a client for them. */
interface Stage {
  readonly client: Client;
  readonly topic: Topic<unknown>;
  readonly group: Group<unknown>;
}

/** Short waits, so that retries do not take the test's time. */
const quick: GroupSettings = { backoffMs: [20], backoffJitter: 0, ackWaitMs: 2_000, maxDeliver: 3 };

export function clientSuite(target: TestTarget): void {
  describe(`a client of ${target.name}`, { skip: target.skip ?? false }, () => {
    let running: RunningTarget;
    let client: Client;
    const faults: Error[] = [];
    const options: ConnectOptions = { onFault: (error) => faults.push(error) };
    before(async () => {
      running = await target.start();
      client = await running.connect(options);
    });
    after(async () => {
      await client?.close();
      await running?.[Symbol.asyncDispose]();
    });

    async function stage(
      settings: GroupSettings = {},
      retention: 'queue' | 'limits' = 'queue',
    ): Promise<Stage> {
      const topic = await client.topic(uniqueName('orders'), { retention });
      return { client, topic, group: await topic.group('billing', { ...quick, ...settings }) };
    }

    /** A fact that needs a feature. */
    function fact(name: string, needs: readonly Feature[], run: () => Promise<void>): void {
      test(name, async (t) => {
        if (needs.includes('survivesRestart') && !running.outage)
          return t.skip('its broker cannot be killed here');
        const missing = needs.find((feature) => client.capabilities[feature] === 'none');
        if (missing !== undefined) return t.skip(`${target.name} has no ${missing}`);
        return run();
      });
    }

    // They wait more than they work, and have topics of their own.
    describe('a fact', { concurrency: 4 }, () => {
      fact('delivers values, keys, headers and ids', ['keys'], async () => {
        const { topic, group } = await stage();
        const value = { text: 'grüß dich', list: [1, null, 'x'] };
        const published = await topic.publish(value, {
          key: 'eu.berlin',
          headers: { Trace: 'ä1' },
          id: 'id-1',
        });
        await topic.publish('no key');
        const first = await next(group);
        assert.deepEqual(first.value, value);
        assert.equal(first.key, 'eu.berlin');
        assert.deepEqual([...first.headers], [['Trace', 'ä1']]);
        assert.equal(first.id, 'id-1');
        assert.equal(published.id, 'id-1');
        assert.equal(first.deliveries, 1);
        assert.equal(first.topic, topic.name);
        assert.ok(Math.abs(first.timestampMs - Date.now()) < 60_000);
        assert.equal(await first.ack(), true);
        const second = await next(group);
        assert.equal(second.value, 'no key');
        assert.equal(second.key, undefined);
        assert.equal(await second.ack(), true);
        assert.equal(await second.ack(), false, 'only the first answer counts');
      });

      fact('delivers in the order of publishes', ['order'], async () => {
        const { topic, group } = await stage();
        const seen: unknown[] = [];
        await using _ = group.consume((message) => seen.push(message.value), { prefetch: 20 });
        const values = Array.from({ length: 150 }, (_, at) => at);
        await topic.publishEach(values);
        await eventually(() => seen.length === values.length);
        assert.deepEqual(seen, values);
      });

      fact('keeps keys of any characters', ['keys'], async () => {
        const { topic, group } = await stage();
        const keys = ['a b', 'a.*.>', '.x..y.', '100 %', 'ключ', 'a%20b', 'line\nbreak'];
        for (const key of keys) await topic.publish(key, { key });
        const seen: unknown[] = [];
        await using _ = group.consume((message) => seen.push([message.key, message.value]));
        await eventually(() => seen.length === keys.length);
        assert.deepEqual(
          seen,
          keys.map((key) => [key, key]),
        );
      });

      fact('runs as many handlers at once as asked for', [], async () => {
        const { topic, group } = await stage();
        let most = 0;
        const gates: (() => void)[] = [];
        const subscription = group.consume(() => new Promise<void>((resolve) => gates.push(resolve)), {
          concurrency: 3,
        });
        await topic.publishEach([1, 2, 3, 4, 5, 6, 7]);
        for (let done = 0; done < 7; done++) {
          await eventually(() => gates.length > 0);
          most = Math.max(most, subscription.running);
          gates.shift()!();
        }
        assert.equal(most, 3);
        await subscription.close();
      });

      fact(
        'retries with the backoff of the group, or the delay of a RetryError',
        ['retryDelays'],
        async () => {
          const { topic, group } = await stage();
          const seen: Seen[] = [];
          await using _ = group.consume(
            ({ value, deliveries }) => {
              seen.push({ value, deliveries });
              if (deliveries === 1) throw new Error('not yet');
              if (deliveries === 2) throw new RetryError(10);
            },
            { onError: () => {} },
          );
          await topic.publish('a');
          await eventually(() => seen.length === 3);
          assert.deepEqual(
            seen.map(({ deliveries }) => deliveries),
            [1, 2, 3],
          );
        },
      );

      fact(
        'makes a dead letter after maxDeliver failures, with cause and origin',
        ['deadLetters'],
        async () => {
          const { topic, group } = await stage();
          await using _ = group.consume(
            () => {
              throw new Error('cannot be done');
            },
            { onError: () => {} },
          );
          await topic.publish({ id: 7 }, { id: 'seven', headers: { Trace: 't7' } });
          const [letter] = await letters(group, 1);
          assert.deepEqual(letter!.value, { id: 7 });
          assert.equal(letter!.id, 'seven');
          assert.deepEqual([...letter!.headers], [['Trace', 't7']]);
          const { topic: from, group: by, cause, deliveries, time } = letter!.origin;
          assert.deepEqual(
            { from, by, cause, deliveries },
            { from: topic.name, by: 'billing', cause: 'max-deliveries: cannot be done', deliveries: 3 },
          );
          assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
          await eventually(async () => (await inFlight(group)) === 0);
        },
      );

      fact('makes a dead letter of a rejected message at once', ['deadLetters'], async () => {
        const { topic, group } = await stage();
        let handled = 0;
        await using _ = group.consume(() => {
          handled += 1;
          throw new RejectError('no address');
        });
        await topic.publish('a box');
        const [letter] = await letters(group, 1);
        assert.equal(letter!.origin.cause, 'rejected: no address');
        assert.equal(letter!.origin.deliveries, 1);
        assert.equal(handled, 1);
      });

      fact('puts dead letters back with the ids that they had', ['deadLetters', 'redrive'], async () => {
        const { topic, group } = await stage();
        let isMended = false;
        const seen: [unknown, string, string | undefined][] = [];
        await using _ = group.consume(({ value, id, key }) => {
          if (!isMended) throw new RejectError('broken');
          seen.push([value, id, key]);
        });
        await topic.publish('first', { id: 'one', ...keyed('k.1') });
        await topic.publish('second', { id: 'two' });
        await letters(group, 2);
        isMended = true;
        assert.deepEqual(await group.deadLetters.redrive(), { moved: 2 });
        await eventually(() => seen.length === 2);
        assert.deepEqual(seen.toSorted(byText), [
          ['first', 'one', keyed('k.1').key],
          ['second', 'two', undefined],
        ]);
        assert.equal(await group.deadLetters.count(), 0);
      });

      fact('stores a message once that is published twice with one id', ['dedupe'], async () => {
        const { topic, group } = await stage();
        const first = await topic.publish('once', { dedupeId: 'a' });
        const second = await topic.publish('once', { dedupeId: 'a' });
        assert.deepEqual([first.duplicate, second.duplicate], [false, true]);
        await topic.publish('end');
        const seen: unknown[] = [];
        await using _ = group.consume((message) => seen.push(message.value));
        await eventually(() => seen.includes('end'));
        assert.deepEqual(seen, ['once', 'end']);
      });

      fact('gives each group all messages', ['fanOut'], async () => {
        const { topic, group } = await stage({}, client.capabilities.log === 'none' ? 'queue' : 'limits');
        const other = await topic.group('shipping', quick);
        await topic.publishEach([1, 2, 3]);
        for (const each of [group, other]) {
          const seen: unknown[] = [];
          await using _ = each.consume((message) => seen.push(message.value));
          await eventually(() => seen.length === 3);
          assert.deepEqual(seen, [1, 2, 3]);
        }
      });

      fact('gives a group the messages whose keys match', ['filters'], async () => {
        const { topic, group } = await stage({ filter: ['eu.*', 'all.>'] });
        for (const key of ['eu.berlin', 'us.boston', 'all.the.rest', 'eu.a.b'])
          await topic.publish(key, { key });
        const seen: unknown[] = [];
        await using _ = group.consume((message) => seen.push(message.value));
        await eventually(() => seen.length === 2);
        assert.deepEqual(seen, ['eu.berlin', 'all.the.rest']);
      });

      fact('delivers the messages of a key one at a time, in order', ['keyOrdering'], async () => {
        const { topic, group } = await stage({ ordering: 'key' });
        const seen: string[] = [];
        const running = new Set<string>();
        for (const value of ['a1', 'b1', 'a2', 'b2', 'a3']) await topic.publish(value, { key: value[0]! });
        await using _ = group.consume(
          async ({ key = '', value, deliveries }) => {
            assert.ok(!running.has(key), `${key} is with one handler`);
            running.add(key);
            await new Promise((resolve) => setImmediate(resolve));
            running.delete(key);
            if (value === 'a2' && deliveries === 1) throw new RetryError(10);
            seen.push(String(value));
          },
          { concurrency: 4 },
        );
        await eventually(() => seen.length === 5);
        assert.deepEqual(
          seen.filter((value) => value.startsWith('a')),
          ['a1', 'a2', 'a3'],
        );
        assert.deepEqual(
          seen.filter((value) => value.startsWith('b')),
          ['b1', 'b2'],
        );
      });

      fact('holds a message back until it is due', ['delays'], async () => {
        const { topic, group } = await stage();
        const dueMs = Date.now() + 1_000;
        await topic.publish('later', { deliverAtMs: dueMs });
        await topic.publish('now');
        const seen: [unknown, boolean][] = [];
        await using _ = group.consume((message) => seen.push([message.value, Date.now() >= dueMs]));
        await eventually(() => seen.length === 2);
        assert.deepEqual(seen[1], ['later', true]);
        assert.equal(seen[0]![0], 'now');
      });

      fact('delivers messages of a higher priority first', ['priorities'], async () => {
        const topic = await client.topic(uniqueName('alerts'), { retention: 'queue', priorities: 10 });
        const group = await topic.group('pager', quick);
        await topic.publish('disk at 80 %');
        await topic.publish('disk full', { priority: 9 });
        await topic.publish('disk at 90 %', { priority: 5 });
        const seen: unknown[] = [];
        await using _ = group.consume((message) => seen.push(message.value), { prefetch: 0 });
        await eventually(() => seen.length === 3);
        assert.deepEqual(seen, ['disk full', 'disk at 90 %', 'disk at 80 %']);
      });

      fact('keeps the settings of a group for programs that give none', ['groupSettings'], async () => {
        const { topic, group } = await stage({ maxDeliver: 7, deadLetter: false });
        const again = await topic.group('billing');
        assert.deepEqual(again.plan, group.plan);
        assert.equal(again.plan.maxDeliver, 7);
        assert.equal(again.deadLetters.topic, undefined);
      });

      fact('gives a running handler more time', ['extend'], async () => {
        const { topic, group } = await stage({ ackWaitMs: 600 });
        const seen: number[] = [];
        let finish!: () => void;
        await using _ = group.consume(
          (message) => {
            seen.push(message.deliveries);
            return new Promise<void>((resolve) => (finish = resolve));
          },
          { prefetch: 0 },
        );
        await topic.publish('slow');
        await eventually(() => seen.length === 1);
        const longMs = 1_500;
        const start = performance.now();
        await eventually(() => performance.now() - start > longMs);
        finish();
        await eventually(async () => (await inFlight(group)) === 0);
        assert.deepEqual(seen, [1]);
      });

      fact('finishes running handlers when it closes, and gives back the rest', [], async () => {
        const { topic, group } = await stage();
        await topic.publishEach(['a', 'b', 'c']);
        let finish!: () => void;
        const begun: unknown[] = [];
        const subscription = group.consume(
          (message, { signal }) => {
            begun.push(message.value);
            assert.equal(signal.aborted, false);
            return new Promise<void>((resolve) => (finish = resolve));
          },
          { prefetch: 10 },
        );
        await eventually(() => begun.length === 1);
        const closed = subscription.close();
        finish();
        await closed;
        assert.deepEqual(begun, ['a']);
        const rest: unknown[] = [];
        await using _ = group.consume((message) => rest.push(message.value));
        await eventually(() => rest.length === 2);
        assert.deepEqual(rest.toSorted(byText), ['b', 'c']);
      });

      fact('counts no delivery that went back at a shutdown', ['freeRelease', 'deadLetters'], async () => {
        const { topic, group } = await stage({ maxDeliver: 1 });
        await topic.publishEach(['a', 'b']);
        let isTaken = false;
        const subscription = group.consume(
          (_, { signal }) =>
            new Promise((_, reject) => {
              isTaken = true;
              signal.addEventListener('abort', () => reject(signal.reason as Error));
            }),
          { prefetch: 10 },
        );
        await eventually(() => isTaken);
        await subscription.close();
        const seen: unknown[] = [];
        await using _ = group.consume(
          ({ value }) => {
            seen.push(value);
            throw new Error('once only');
          },
          { onError: () => {} },
        );
        await eventually(() => seen.length === 2);
        assert.deepEqual(seen.toSorted(byText), ['a', 'b']);
        const [letter] = await letters(group, 2);
        assert.equal(letter!.origin.cause, 'max-deliveries: once only');
      });

      fact('stops a loop and a subscription by their signals', [], async () => {
        const { topic, group } = await stage();
        const controller = new AbortController();
        const { signal } = controller;
        const seen: unknown[] = [];
        await topic.publish('a');
        const loop = (async () => {
          for await (const message of group.deliveries({ signal })) {
            seen.push(message.value);
            await message.ack();
          }
        })();
        await eventually(() => seen.length === 1);
        const subscription = group.consume(() => {}, { signal });
        controller.abort(new Error('enough'));
        await loop;
        await subscription.closed;
        assert.deepEqual(seen, ['a']);
        await assert.rejects(group.next({ signal }), { message: 'enough' });
      });

      fact('rejects what does not fit its topic, and refuses to publish it', ['deadLetters'], async () => {
        const { topic, group } = await stage();
        const loose = await client.topic(topic.name, { codec: { encode: String, decode: String } });
        await loose.publish('{ not JSON');
        await using _ = group.consume(() => {});
        await eventually(async () => (await group.deadLetters.count()) === 1);
        await assert.rejects(topic.publish(new Map()), { code: 'value-invalid' });
      });

      test('refuses what the target cannot do, and says what can', async () => {
        const { topic, group } = await stage();
        const asks: { readonly [F in Feature]?: () => Promise<unknown> } = {
          keyOrdering: () => topic.group('ordered', { ordering: 'key' }),
          delays: () => topic.publish('later', { delayMs: 1_000 }),
          batches: () => topic.publishBatch([1, 2]),
          priorities: () => client.topic(uniqueName('urgent'), { priorities: 3 }),
          filters: () => topic.group('some', { filter: 'a.*' }),
          keys: () => topic.publish('x', { key: 'k' }),
          dedupe: () => topic.publish('x', { dedupeId: 'd' }),
          fanOut: () => topic.group('other'),
          starts: () => topic.group('later', { start: 'new' }),
          log: () => client.topic(uniqueName('kept'), { retention: 'limits' }),
          history: () => topic.group('late', { start: 'all' }),
          inFlightLimit: () => topic.group('few', { maxInFlight: 3 }),
          lag: () => group.drained(),
          ttl: () => topic.publish('x', { ttlMs: 5_000 }),
        };
        for (const [feature, ask] of Object.entries(asks)) {
          if (client.capabilities[feature as Feature] !== 'none') continue;
          await assert.rejects(ask, (error) => {
            assert.ok(error instanceof UnsupportedError, `${feature}: ${String(error)}`);
            assert.equal(error.feature, feature);
            assert.match(error.message, /These can: .*memory:/);
            return true;
          });
        }
      });

      // ---- several processes, crashes

      fact('gives the messages of a consumer that died to another', ['sharedByProcesses'], async () => {
        const { topic, group } = await stage({ ackWaitMs: 1_000 });
        const { id } = await topic.publish('a');
        await killAfter(`took ${id}`, 'victim', [running.url!, topic.name, group.name]);
        const seen: [unknown, number][] = [];
        await using _ = group.consume((message) => seen.push([message.value, message.deliveries]));
        await eventually(() => seen.length === 1);
        assert.deepEqual(seen, [['a', 2]]);
      });
    });

    fact(
      'goes on after a crash of the broker: all is there, and stored once where ids are known',
      ['survivesRestart', 'sharedByProcesses'],
      async () => {
        const { topic, group } = await stage({ ackWaitMs: 1_000 });
        const values = Array.from({ length: 60 }, (_, at) => at);
        /** Where each message was delivered from. */
        const places = new Map<string, Set<number>>();
        await using _ = group.consume(
          ({ id, offset }) => void places.set(id, (places.get(id) ?? new Set()).add(offset)),
          { concurrency: 4 },
        );
        faults.length = 0;
        const publishing = values.map((value) => topic.publish(value));
        await publishing[20];
        await running.outage!(async () => {
          publishing.push(topic.publish('meanwhile'));
        });
        publishing.push(topic.publish('afterwards'));
        const published = await Promise.all(publishing);
        await eventually(() => places.size === published.length, { timeoutMs: 40_000 });
        assert.deepEqual(
          published.map(({ id }) => places.get(id)?.size),
          published.map(() => 1),
        );
        assert.ok(faults.length > 0, 'the outage was told');
      },
    );

    /** The dead letters of a group, when there are so many. */
    async function letters(group: Group<unknown>, count: number): Promise<Letter<unknown>[]> {
      await eventually(async () => (await group.deadLetters.count()) === count);
      const found: Letter<unknown>[] = [];
      for await (const letter of group.deadLetters.browse()) found.push(letter);
      assert.equal(found.length, count);
      return found;
    }

    /** A key, if the target has keys. */
    function keyed(key: string): { readonly key?: string } {
      return client.capabilities.keys === 'none' ? {} : { key };
    }

    async function inFlight(group: Group<unknown>): Promise<number> {
      return client.capabilities.lag === 'none' ? 0 : (await group.lag()).inFlight;
    }
  });
}

function byText(a: unknown, b: unknown): number {
  return String(a) < String(b) ? -1 : 1;
}

async function next(group: Group<unknown>): Promise<Delivery<unknown>> {
  const message = await group.next({ waitMs: 20_000 });
  assert.ok(message, 'a message');
  return message;
}
