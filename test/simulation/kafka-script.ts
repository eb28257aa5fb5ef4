import type { MemberStep } from './kafka-members.ts';
import type { FetchPlan } from './kafka-reader.ts';
import type { Outcome } from './kafka-transactional-producer.ts';
import { Choices } from './random-choice.ts';
import type { Action, Operation, PlannedMessage, Script } from './script.ts';

/** Steps that only Kafka clients have. */
export type KafkaStep =
  | ({ readonly kind: 'fetch' } & FetchPlan)
  | MemberStep
  | { readonly kind: 'end'; readonly producer: string; readonly outcome: Outcome }
  /** A producer's process begins anew under the same transactional id. */
  | { readonly kind: 'restart'; readonly producer: string }
  /** A position that a group gets with the transaction. */
  | {
      readonly kind: 'commit-within';
      readonly producer: string;
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly pick: number;
    }
  /** A client drops its connection and makes another. */
  | { readonly kind: 'reconnect'; readonly who: string };

/** One that sends once, two idempotent ones, and two with transactions. */
const transactional = ['t1', 't2'];
const producers = ['plain', 'p1', 'p2', ...transactional];
const reader = 'reader';
/** Two classic groups of two members, and one of KIP-848. */
export const memberNames: readonly string[] = ['k1.0', 'k1.1', 'k2.0', 'k2.1', 'k3.0', 'k3.1'];
const groupNames = ['k1', 'k2', 'k3'];

/** The same script for clients that speak Kafka, with their own steps in between. */
export function overKafka(script: Script): Script {
  const c = new Choices(script.seed + 3);
  const favourite = c.of(producers);
  const operations = script.operations.flatMap((operation): Operation[] => {
    const producer = c.percent(60) ? favourite : c.of(producers);
    const mapped = kafkaOperation(operation, producer);
    const { steps, turn } = operation;
    // Often before the answer has come.
    if (operation.kind === 'publish' && c.percent(20)) {
      const again: KafkaStep = { kind: 'reconnect', who: producer };
      return [
        { ...mapped, steps: c.between(0, 4) },
        { kind: 'kafka', step: again, steps, turn: turn + 500 },
      ];
    }
    if (!c.percent(40)) return [mapped];
    const step = kafkaStep(c, topicsOf(script));
    return [
      mapped,
      { kind: 'kafka', step, steps: c.percent(50) ? steps : c.between(0, 10), turn: turn + 500 },
    ];
  });
  return { ...script, door: 'kafka', operations };
}

function topicsOf({ operations }: Script): string[] {
  const names = operations.flatMap((operation) =>
    operation.kind === 'create-topic' ? [operation.options.name] : [],
  );
  return [...new Set(names)];
}

function kafkaStep(c: Choices, topics: readonly string[]): KafkaStep {
  const kind = c.weighted({
    fetch: 8,
    reconnect: 2,
    join: 2,
    heartbeat: 1,
    leave: 0.5,
    commit: 5,
    offsets: 5,
    end: 6,
    restart: 0.5,
    'commit-within': 2,
  });
  switch (kind) {
    case 'fetch':
      return {
        kind,
        topic: c.of(topics),
        partition: c.between(0, 2),
        committedOnly: c.percent(50),
        isAnew: c.percent(25),
        waitMs: c.of([0, 0, 50, 5000]),
        bytesMax: c.of([1, 500, 100_000]),
      };
    case 'reconnect':
      return { kind, who: c.of(c.percent(70) ? producers : [reader, ...memberNames]) };
    case 'join':
      return { kind, member: c.of(memberNames), topics: c.percent(50) ? topics : [c.of(topics)] };
    case 'end':
      return { kind, producer: c.of(transactional), outcome: c.percent(70) ? 'commit' : 'abort' };
    case 'restart':
      return { kind, producer: c.of(transactional) };
    case 'commit-within':
      return {
        kind,
        producer: c.of(transactional),
        group: c.of(groupNames),
        topic: c.of(topics),
        partition: c.between(0, 2),
        pick: c.random.next(),
      };
    case 'heartbeat':
    case 'leave':
      return { kind, member: c.of(memberNames) };
    case 'commit':
    case 'offsets': {
      const place = { member: c.of(memberNames), topic: c.of(topics), partition: c.between(0, 2) };
      return kind === 'offsets' ? { kind, ...place } : { kind, ...place, pick: c.random.next() };
    }
    default:
      return kind satisfies never;
  }
}

function kafkaOperation(operation: Operation, producer: string): Operation {
  const { turn, steps, sync } = operation;
  return { ...kafkaAction(operation, producer), turn, steps, ...(sync === undefined ? {} : { sync }) };
}

function kafkaAction(action: Action, producer: string): Action {
  // A share group answers each record by itself.
  if (action.kind === 'create-group') return { ...action, options: { ...action.options, ack: 'explicit' } };
  if (action.kind !== 'publish') return action;
  return { ...action, messages: action.messages.map((plan) => kafkaMessage(plan, producer)) };
}

function kafkaMessage({ id, key, bytes, partition }: PlannedMessage, producer: string): PlannedMessage {
  return { id, key, bytes, producer, ...(partition === undefined ? {} : { partition }) };
}
