import type { GroupOptions, TopicOptions } from '../../src/broker/index.ts';
import type { Choices } from './random-choice.ts';
import type { Action, PlannedMessage, PullOptions } from './script.ts';

/** The services of a script for operations on queues. */
export interface QueueScriptHost {
  anyGroup(): { readonly topic: string; readonly group: string };
  topic(name: string): TopicOptions;
  group(): GroupOptions;
  knowGroup(topic: string, name: string): void;
  message(): PlannedMessage;
  nextId(): number;
}

const topicNames = ['orders', 'jobs', 'events', 'letters'];

/** One operation of those that queues need: see `QueueAction`. */
export function queueAction(c: Choices, host: QueueScriptHost): Action {
  const kind = c.weighted({
    'define-queue': 1.5,
    'publish-to-all': 6,
    attach: 5,
    detach: 3,
    release: 3,
    settle: 12,
    extend: 1.5,
    pull: 7,
    'hold-pull': 1,
    'reset-group': 0.3,
    'update-group': 1.5,
  });
  switch (kind) {
    case 'define-queue': {
      const options = host.topic(c.of(topicNames.slice(0, 3)));
      const { name, start: _, ...group } = host.group();
      const isDefault = c.percent(70);
      host.knowGroup(options.name, isDefault ? 'default' : name);
      return { kind, options, group: isDefault ? group : { name, ...group } };
    }
    case 'publish-to-all':
      return publishToAll(c, host);
    case 'attach':
      return {
        kind,
        ...host.anyGroup(),
        credit: c.of([1, 3, 20, 1000]),
        ackWaitMs: c.of([5, 50, 500, 5000]),
        ...precedence(c),
        ...(c.percent(8) ? { isExclusive: true } : {}),
      };
    case 'detach':
      return { kind, ...host.anyGroup(), held: 'release' };
    case 'release':
      return { kind, ...host.anyGroup(), ...(c.percent(20) ? { partition: c.between(0, 2) } : {}) };
    case 'settle': {
      const answer = c.weighted({ ack: 5, nack: 2, reject: 0.5, 'set-deadline': 4, postpone: 2 });
      return {
        kind,
        ...host.anyGroup(),
        answer,
        from: c.percent(60) ? 'kept' : 'written',
        pick: c.percent(60) ? 1 - c.random.next() * 0.2 - 1e-9 : c.random.next(),
        count: c.percent(50) ? 1 : c.between(2, 5),
        ...(answer === 'set-deadline' ? { ms: c.of([0, 1, 20, 300, 3000, 20_000]) } : {}),
        ...(answer === 'nack' && c.percent(50) ? { ms: c.of([0, 10, 500]) } : {}),
        ...(answer === 'postpone'
          ? { ms: c.of([0, 10, 100, 2000]), scope: c.of(['message', 'key', 'group'] as const) }
          : {}),
      };
    }
    case 'extend':
      return { kind: 'answer', ...host.anyGroup(), answer: kind, pick: c.random.next(), count: 1 };
    case 'reset-group':
      return { kind, ...host.anyGroup(), start: { kind: 'all' } };
    case 'update-group':
      return {
        kind,
        ...host.anyGroup(),
        change: c.percent(70)
          ? { activeConsumers: 'single', activeSilenceMs: c.of([10, 100, 1000, 60_000]) }
          : { activeConsumers: 'all' },
      };
    case 'pull':
      return { kind, ...host.anyGroup(), options: { ...pullOptions(c), ...precedence(c) } };
    case 'hold-pull':
      return { kind, ...host.anyGroup(), isHeld: c.percent(50) };
    default:
      return kind satisfies never;
  }
}

/** One message under another name in each topic. */
function publishToAll(c: Choices, host: QueueScriptHost): Action {
  const names = topicNames.filter((name) => name !== 'letters' || c.percent(25));
  const topics = names.toSorted(() => c.random.next() - 0.5).slice(0, c.between(2, 4));
  const { id, key, bytes, dedupeId, delayMs } = host.message();
  const plan = {
    key,
    bytes,
    ...(dedupeId === undefined ? {} : { dedupeId }),
    ...(delayMs === undefined ? {} : { delayMs }),
  };
  const ids = topics.map((_, at) => (at === 0 ? id : host.nextId()));
  const copies = Object.fromEntries(topics.map((topic, at) => [topic, ids[at]!]));
  return {
    kind: 'publish-to-all',
    mode: c.percent(70) ? 'all-or-none' : 'each',
    topics,
    messages: ids.map((own, at) => ({
      id: own,
      ...plan,
      ...(at === 0 ? { copies } : { copyOf: id }),
    })),
  };
}

function precedence(c: Choices): { priority?: number; member?: string } {
  return {
    ...(c.percent(40) ? { priority: c.between(-1, 2) } : {}),
    ...(c.percent(40) ? { member: c.of(['m', 'n']) } : {}),
  };
}

function pullOptions(c: Choices): PullOptions {
  return {
    messagesMax: c.of([1, 2, 5, 20]),
    ...(c.percent(30) ? { bytesMax: c.between(10, 600) } : {}),
    ...(c.percent(40) ? { takesAnyFirst: true } : {}),
    ...(c.percent(25) ? { messagesMin: c.between(1, 4) } : {}),
    ...(c.percent(15) ? { bytesMin: c.between(1, 300) } : {}),
    ...(c.percent(60) ? { waitMs: c.of([0, 10, 200, 3000]) } : {}),
    ...(c.percent(40) ? { idle: 'answer' as const } : {}),
    ...(c.percent(30) ? { ackWaitMs: c.of([5, 100, 5000]) } : {}),
  };
}
