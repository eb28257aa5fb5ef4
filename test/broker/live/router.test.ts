import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  LiveMessage,
  Router,
  type LiveSubscriber,
  type LiveSubscription,
  type Route,
} from '../../../src/broker/index.ts';
import { SeededRandom, subjectMatches } from '../../../src/util/index.ts';

class Recorder implements LiveSubscriber {
  readonly name: string;
  readonly got: string[] = [];
  congested = false;
  willing = true;
  #waiting: (() => void)[] = [];

  constructor(name = '') {
    this.name = name;
  }

  receive(message: LiveMessage): boolean {
    if (!this.willing) return false;
    this.got.push(message.subject);
    return true;
  }

  whenDrained(callback: () => void): void {
    this.#waiting.push(callback);
  }

  drain(): void {
    this.congested = false;
    for (const callback of this.#waiting.splice(0)) callback();
  }
}

interface NamedTopic {
  readonly name: string;
}

function newRouter(seed = 1): Router<NamedTopic> {
  return new Router<NamedTopic>(new SeededRandom(seed));
}

function messageTo(subject: string): LiveMessage {
  const message = new LiveMessage();
  const bytes = Buffer.from(subject);
  message.setSubject(bytes, 0, bytes.length);
  return message;
}

function publish(router: Router<NamedTopic>, subject: string): number {
  return router.publish(messageTo(subject));
}

describe('router', () => {
  it('hands a message to every subscriber whose pattern matches', () => {
    const router = newRouter();
    const patterns = ['a.b', 'a.*', 'a.>', '>', '*.b', '*.*', 'a', 'a.b.c', 'a.c'];
    const recorders = patterns.map((pattern) => {
      const recorder = new Recorder(pattern);
      router.subscribe(pattern, undefined, recorder);
      return recorder;
    });
    assert.equal(publish(router, 'a.b'), 6);
    assert.deepEqual(
      recorders.filter((recorder) => recorder.got.length > 0).map((recorder) => recorder.name),
      ['a.b', 'a.*', 'a.>', '>', '*.b', '*.*'],
    );
  });

  it('reaches no subscriber with a subject that has an empty token, not even >', () => {
    const router = newRouter();
    router.subscribe('>', undefined, new Recorder());
    router.subscribe('a.*', undefined, new Recorder());
    for (const subject of ['a..b', '.a', 'a.', '', '.']) assert.equal(publish(router, subject), 0, subject);
    assert.equal(publish(router, 'a.b'), 2);
  });

  it('sends a publish to the name of a topic there, unless a topic captures it', () => {
    const router = newRouter();
    const [orders, eu, all] = ['orders', 'orders.eu', 'all'].map((name) => ({ name }));
    const topics = (): (string | undefined)[] =>
      ['orders', 'orders.eu', 'orders.us'].map((subject) => router.topicOf(subject)?.name);
    assert.deepEqual(topics(), [undefined, undefined, undefined]);
    router.bindName('orders', orders!);
    router.bindName('orders.eu', eu!);
    assert.deepEqual(topics(), ['orders', 'orders.eu', undefined]);
    assert.equal(router.captorOf('orders'), undefined);
    router.bindTopic('>', all!);
    assert.deepEqual(topics(), ['all', 'all', 'all']);
    assert.equal(router.captorOf('orders')?.name, 'all');
    router.unbindTopic(all!);
    router.bindTopic('orders', all!);
    assert.deepEqual(topics(), ['all', 'orders.eu', undefined]);
    router.unbindTopic(all!);
    assert.deepEqual(topics(), ['orders', 'orders.eu', undefined]);
    router.unbindTopic(orders!);
    router.unbindTopic(eu!);
    assert.deepEqual(topics(), [undefined, undefined, undefined]);
    assert.equal(router.mayHear('orders'), false);
  });

  it('routes wildcards in a published subject as plain tokens', () => {
    const router = newRouter();
    const wild = new Recorder();
    const plain = new Recorder();
    router.subscribe('a.*', undefined, wild);
    router.subscribe('a.b', undefined, plain);
    assert.equal(publish(router, 'a.*'), 1);
    assert.equal(publish(router, 'a.>'), 1);
    assert.deepEqual(plain.got, []);
  });

  it('tells subjects apart that differ in bytes beyond ASCII', () => {
    const router = newRouter();
    const recorder = new Recorder();
    router.subscribe('größe.*', undefined, recorder);
    assert.equal(publish(router, 'größe.x'), 1);
    assert.equal(publish(router, 'gro\u0308ße.x'), 0);
    assert.deepEqual(recorder.got, ['größe.x']);
  });

  it('gives a message to one member of each queue', () => {
    const router = newRouter();
    const workers = Array.from({ length: 3 }, () => new Recorder());
    const others = Array.from({ length: 2 }, () => new Recorder());
    for (const worker of workers) router.subscribe('job.*', 'workers', worker);
    for (const other of others) router.subscribe('job.*', 'others', other);
    const plain = new Recorder();
    router.subscribe('job.1', undefined, plain);
    for (let i = 0; i < 3_000; i++) assert.equal(publish(router, 'job.1'), 3);
    const counts = workers.map((worker) => worker.got.length);
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      3_000,
    );
    for (const count of counts) assert.ok(count > 800 && count < 1_200, `uneven: ${counts.join(' ')}`);
    for (const other of others) assert.ok(other.got.length > 1_200, 'uneven');
    assert.equal(plain.got.length, 3_000);
  });

  it('takes members of one queue name under different patterns for one queue', () => {
    const router = newRouter();
    const members = ['a.*', 'a.b', '>'].map((pattern) => {
      const member = new Recorder(pattern);
      router.subscribe(pattern, 'q', member);
      return member;
    });
    for (let i = 0; i < 300; i++) assert.equal(publish(router, 'a.b'), 1);
    for (const { name, got } of members) assert.ok(got.length > 50, `${name} got ${got.length} of 300`);
    assert.equal(publish(router, 'a.c'), 1);
  });

  it('passes over queue members that are behind or refuse, while there is another', () => {
    const router = newRouter();
    const behind = new Recorder();
    const refusing = new Recorder();
    const ready = new Recorder();
    for (const member of [behind, refusing, ready]) router.subscribe('a', 'q', member);
    behind.congested = true;
    refusing.willing = false;
    for (let i = 0; i < 50; i++) assert.equal(publish(router, 'a'), 1);
    assert.equal(ready.got.length, 50);
    ready.congested = true;
    for (let i = 0; i < 50; i++) assert.equal(publish(router, 'a'), 1);
    assert.equal(behind.got.length + ready.got.length, 100);
    assert.ok(behind.got.length > 0);
    behind.willing = false;
    ready.willing = false;
    assert.equal(publish(router, 'a'), 0);
  });

  it('does not deliver after an unsubscribe, not even during a delivery', () => {
    const router = newRouter();
    const late = new Recorder();
    const handles: LiveSubscription[] = [];
    const first: LiveSubscriber = {
      congested: false,
      whenDrained: () => {},
      receive: () => {
        router.unsubscribe(handles[1]!);
        return true;
      },
    };
    handles.push(router.subscribe('a', undefined, first), router.subscribe('a', undefined, late));
    assert.equal(publish(router, 'a'), 1);
    assert.deepEqual(late.got, []);
    router.unsubscribe(handles[1]!); // twice does nothing
    assert.equal(router.subscriptions, 1);
  });

  it('forgets subscriptions of one pattern in any order', () => {
    for (const order of ['012', '021', '102', '120', '201', '210']) {
      const router = newRouter();
      const recorders = [new Recorder(), new Recorder(), new Recorder()];
      const handles = recorders.map((recorder) => router.subscribe('a', undefined, recorder));
      const left = new Set(recorders);
      for (const digit of order) {
        router.unsubscribe(handles[Number(digit)]!);
        left.delete(recorders[Number(digit)]!);
        assert.equal(publish(router, 'a'), left.size, order);
        for (const recorder of recorders)
          assert.equal(recorder.got.splice(0).length, left.has(recorder) ? 1 : 0);
      }
    }
  });

  it('captures subjects with the topic bound to their pattern', () => {
    const router = newRouter();
    const orders = { name: 'orders' };
    router.bindTopic('orders.>', orders);
    router.bindTopic('bestellungen.*', orders);
    router.bindTopic('bestellungen.*', orders); // again does nothing
    assert.equal(router.topicOf('orders.eu.1'), orders);
    assert.equal(router.topicOf('bestellungen.1'), orders);
    assert.equal(router.topicOf('orders'), undefined);
    assert.equal(router.hasInterest('orders.eu.1'), false);
    assert.throws(() => router.bindTopic('orders.>', { name: 'other' }), /bound to another topic/);
    router.unbindTopic(orders);
    assert.equal(router.topicOf('orders.eu.1'), undefined);
    assert.equal(router.topicOf('bestellungen.1'), undefined);
  });

  it('says whether any subscriber could hear subjects that begin with a token', () => {
    const router = newRouter();
    assert.equal(router.mayHear('$JS'), false);
    const subscription = router.subscribe('$JS.ACK.>', undefined, new Recorder());
    assert.equal(router.mayHear('$JS'), true);
    assert.equal(router.mayHear('other'), false);
    router.unsubscribe(subscription);
    assert.equal(router.mayHear('$JS'), false);
    router.subscribe('*.b', undefined, new Recorder());
    assert.equal(router.mayHear('$JS'), true);
  });
});

describe('route', () => {
  const bytes = (subject: string): Buffer => Buffer.from(subject);
  const match = (router: Router<NamedTopic>, subject: string, hint?: Route<NamedTopic>): Route<NamedTopic> =>
    router.match(bytes(subject), 0, subject.length, hint);

  it('is kept as a hint until a subscription changes that could matter', () => {
    const router = newRouter();
    router.subscribe('a.b', undefined, new Recorder());
    const route = match(router, 'a.b');
    assert.equal(match(router, 'a.b', route), route);
    const elsewhere = router.subscribe('other.x', undefined, new Recorder());
    assert.equal(router.isCurrent(route), true, 'another first token changes nothing');
    router.unsubscribe(elsewhere);
    assert.equal(router.isCurrent(route), true);
    router.subscribe('a.c', undefined, new Recorder());
    assert.equal(router.isCurrent(route), false);
    const next = match(router, 'a.b', route);
    assert.equal(next.subscriptions.length, 1);
    router.subscribe('*.b', undefined, new Recorder());
    assert.equal(router.isCurrent(next), false, 'a wildcard in front concerns everybody');
  });

  it('notices the first subscription to a new first token', () => {
    const router = newRouter();
    const route = match(router, 'new.b');
    assert.equal(route.hasSubscribers, false);
    router.subscribe('new.b', undefined, new Recorder());
    assert.equal(match(router, 'new.b', route).hasSubscribers, true);
  });

  it('is shared by siblings where only wildcards follow: inboxes that never repeat', () => {
    const router = newRouter();
    router.subscribe('_INBOX.abc.*', undefined, new Recorder());
    const route = match(router, '_INBOX.abc.1');
    assert.equal(route.open, true);
    for (let i = 0; i < 100; i++) assert.equal(match(router, `_INBOX.abc.${i}`), route);
    assert.notEqual(match(router, '_INBOX.abc.1.2', route), route);
    assert.equal(match(router, '_INBOX.abc.1.2').hasSubscribers, false);
    assert.equal(match(router, '_INBOX.abc.', route).hasSubscribers, false);
    assert.equal(match(router, '_INBOX.abd.1', route).hasSubscribers, false);
    router.subscribe('_INBOX.abc.7', undefined, new Recorder());
    assert.equal(match(router, '_INBOX.abc.7', route).subscriptions.length, 2);
    assert.equal(match(router, '_INBOX.abc.8', route).subscriptions.length, 1);
  });

  it('is looked up again and again without growing anything', () => {
    const router = newRouter();
    router.subscribe('a.known', undefined, new Recorder()); // so that siblings under a are told apart
    const route = match(router, 'a.known');
    match(router, 'a.known');
    for (let i = 0; i < 50_000; i++) assert.equal(match(router, `a.${i}`).hasSubscribers, false);
    assert.deepEqual(match(router, 'a.known').subscriptions, route.subscriptions);
  });
});

describe('live target', () => {
  it('sends to its subscribers, for any subject that the message shows', () => {
    const router = newRouter();
    const recorder = new Recorder();
    const target = router.target('_INBOX.x.1');
    assert.equal(target.present, false);
    assert.equal(target.send(messageTo('orders.1')), 0);
    router.subscribe('_INBOX.x.*', undefined, recorder);
    assert.equal(target.present, true);
    assert.equal(target.send(messageTo('orders.1')), 1);
    assert.deepEqual(recorder.got, ['orders.1']);
  });

  it('tells when the last listener has gone and when one has come', () => {
    const router = newRouter();
    const told: boolean[] = [];
    const one = router.subscribe('deliver.*', undefined, new Recorder());
    const two = router.subscribe('deliver.here', 'q', new Recorder());
    const target = router.target('deliver.here');
    target.watch((present) => told.push(present));
    router.unsubscribe(one);
    assert.deepEqual(told, []);
    router.unsubscribe(two);
    assert.deepEqual(told, [false]);
    router.subscribe('deliver.there', undefined, new Recorder());
    assert.deepEqual(told, [false]);
    const three = router.subscribe('deliver.>', undefined, new Recorder());
    assert.deepEqual(told, [false, true]);
    router.unsubscribe(three);
    router.subscribe('deliver.here', undefined, new Recorder());
    assert.deepEqual(told, [false, true, false, true]);
    target.close();
    target.close();
    assert.deepEqual(told, [false, true, false, true]);
  });

  it('tells nothing any more once closed', () => {
    const router = newRouter();
    const told: boolean[] = [];
    const subscription = router.subscribe('a', undefined, new Recorder());
    const heard = router.target('a');
    heard.watch((present) => told.push(present));
    assert.equal(subscription.targets?.size, 1);
    heard.close();
    assert.equal(subscription.targets.size, 0, 'nothing is left behind');
    router.unsubscribe(subscription);
    const unheard = router.target('a');
    unheard.watch((present) => told.push(present));
    unheard.close();
    router.subscribe('a', undefined, new Recorder());
    assert.deepEqual(told, []);
  });

  it('is congested when a plain listener is, or all members of a queue are', () => {
    const router = newRouter();
    const plain = new Recorder();
    const members = [new Recorder(), new Recorder()];
    const target = router.target('a');
    router.subscribe('a', undefined, plain);
    for (const member of members) router.subscribe('a', 'q', member);
    assert.equal(target.congested, false);
    plain.congested = true;
    assert.equal(target.congested, true);
    let drained = 0;
    target.whenDrained(() => drained++);
    assert.equal(drained, 0);
    plain.drain();
    assert.equal(drained, 1);
    members[0]!.congested = true;
    assert.equal(target.congested, false);
    members[1]!.congested = true;
    assert.equal(target.congested, true);
  });
});

describe('router against the definition', () => {
  const token = fc.constantFrom('a', 'b', 'c');
  const patternOf = fc
    .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 0, maxLength: 3 }), fc.boolean())
    .map(([tokens, rest]) => [...tokens, ...(rest || tokens.length === 0 ? ['>'] : [])].join('.'));
  const subjectOf = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
  const step = fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('subscribe' as const),
        pattern: patternOf,
        queue: fc.constantFrom(undefined, 'q', 'r'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), index: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('bind' as const), pattern: patternOf }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), subject: subjectOf }) },
  );

  it('delivers like a list of patterns, through any changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const router = newRouter();
        let hint: Route<NamedTopic> | undefined;
        let topic: { name: string; pattern: string } | undefined;
        const live: { handle: LiveSubscription; recorder: Recorder }[] = [];
        for (const step of steps) {
          switch (step.kind) {
            case 'subscribe': {
              const recorder = new Recorder();
              live.push({ handle: router.subscribe(step.pattern, step.queue, recorder), recorder });
              break;
            }
            case 'unsubscribe': {
              const [gone] = live.splice(step.index, 1);
              if (gone) router.unsubscribe(gone.handle);
              break;
            }
            case 'bind':
              if (topic) router.unbindTopic(topic);
              topic = { name: step.pattern, pattern: step.pattern };
              router.bindTopic(step.pattern, topic);
              break;
            case 'publish': {
              for (const { recorder } of live) recorder.got.length = 0;
              const bytes = Buffer.from(step.subject);
              hint = router.match(bytes, 0, bytes.length, hint);
              const count = router.deliver(hint, messageTo(step.subject));
              const matching = live.filter(({ handle }) => subjectMatches(handle.pattern, step.subject));
              const plain = matching.filter(({ handle }) => handle.queue === undefined);
              for (const { handle, recorder } of live) {
                if (handle.queue === undefined)
                  assert.equal(recorder.got.length, subjectMatches(handle.pattern, step.subject) ? 1 : 0);
              }
              let queues = 0;
              for (const queue of ['q', 'r']) {
                const members = matching.filter(({ handle }) => handle.queue === queue);
                const copies = members.reduce((sum, { recorder }) => sum + recorder.got.length, 0);
                assert.equal(copies, members.length > 0 ? 1 : 0);
                queues += copies;
              }
              assert.equal(count, plain.length + queues);
              const captured = topic !== undefined && subjectMatches(topic.pattern, step.subject);
              assert.equal(hint.topic, captured ? topic : undefined);
              break;
            }
          }
        }
        assert.equal(router.subscriptions, live.length);
      }),
      { numRuns: 500 },
    );
  });
});
