import type { Members, Structure } from '../shapes.ts';
import { snsPublish } from './sns-publish.ts';
import { snsSubscriptions } from './sns-subscriptions.ts';
import { snsTopics } from './sns-topics.ts';
import { sqsMessages } from './sqs-messages.ts';
import { sqsMoveTasks } from './sqs-move-tasks.ts';
import { sqsQueues } from './sqs-queues.ts';

export type Service = 'sqs' | 'sns';

/** An operation of a service: a request with its result. */
export interface Operation<I extends Members = Members, O extends Members = Members> {
  readonly service: Service;
  readonly name: string;
  readonly input: I;
  readonly output: O;
}

interface Table {
  readonly [name: string]: { readonly input: Members; readonly output: Members };
}

type Operations<T extends Table> = { readonly [N in keyof T]: Operation<T[N]['input'], T[N]['output']> };

type SqsTable = typeof sqsQueues & typeof sqsMessages & typeof sqsMoveTasks;
type SnsTable = typeof snsTopics & typeof snsSubscriptions & typeof snsPublish;

/** The operations of SQS, by name. */
export const sqsOperations: Operations<SqsTable> = operationsOf('sqs', {
  ...sqsQueues,
  ...sqsMessages,
  ...sqsMoveTasks,
});

/** The operations of SNS that fan out to queues, by name. */
export const snsOperations: Operations<SnsTable> = operationsOf('sns', {
  ...snsTopics,
  ...snsSubscriptions,
  ...snsPublish,
});

export type SqsAction = keyof SqsTable;
export type SnsAction = keyof SnsTable;

/** The request of an operation. */
export type SqsInput<A extends SqsAction> = Structure<SqsTable[A]['input']>;
/** The result of an operation. */
export type SqsOutput<A extends SqsAction> = Structure<SqsTable[A]['output']>;
export type SnsInput<A extends SnsAction> = Structure<SnsTable[A]['input']>;
export type SnsOutput<A extends SnsAction> = Structure<SnsTable[A]['output']>;

export function isSqsAction(name: string): name is SqsAction {
  return Object.hasOwn(sqsOperations, name);
}

export function isSnsAction(name: string): name is SnsAction {
  return Object.hasOwn(snsOperations, name);
}

function operationsOf<T extends Table>(service: Service, table: T): Operations<T> {
  const entries = Object.entries(table).map(([name, shapes]) => [name, { service, name, ...shapes }]);
  return Object.fromEntries(entries) as Operations<T>;
}
