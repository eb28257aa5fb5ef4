import type {
  AnswerJson,
  ReceivedMessageJson,
  ReceivedMessagesJson,
  ReceiveJson,
  SettledJson,
  SettleJson,
} from '../../admin-api/index.ts';
import {
  type Broker,
  Collector,
  type CollectorEnd,
  type Group,
  Receipt,
  recordBytes,
} from '../../broker/index.ts';
import { HttpError } from '../../protocols/index.ts';
import { type AdminContext, groupFor } from './context.ts';
import { invalidRequest } from './errors.ts';
import type { AdminRequest } from './http.ts';
import { messageJson, valueForms } from './message-json.ts';
import { type JsonReply, json } from './reply.ts';
import { type Shape, listOf, oneOf, readObject, text, wholeNumber } from './shape.ts';

/** The most bytes of messages in one answer; a single message may be larger. */
const receivedBytesMax = 8 * 2 ** 20;
const dayMs = 86_400_000;

const receiveShape: Shape<ReceiveJson> = {
  max: wholeNumber(1, 1000),
  waitMs: wholeNumber(0, 60_000),
  ackWaitMs: wholeNumber(1, dayMs),
  as: oneOf(...valueForms),
};

const answerShape: Shape<AnswerJson> = {
  receipt: text(256),
  answer: oneOf('ack', 'nack', 'reject', 'release', 'postpone', 'extend'),
  delayMs: wholeNumber(0, 365 * dayMs),
  reason: text(1024),
  ackWaitMs: wholeNumber(1, dayMs),
};

const settleShape: Shape<SettleJson> = {
  answers: listOf((value, name) => readObject(value, answerShape, ['receipt', 'answer'], `"${name}"`)),
};

/**
 * Delivers messages to a client without a connection of its own: those that there are, or, with a wait, the
 * first that comes. If the client leaves meanwhile, they go back to the group.
 */
export async function receive(
  request: AdminRequest,
  context: AdminContext,
): Promise<JsonReply<ReceivedMessagesJson>> {
  const group = groupFor(request, context);
  const options = readObject<ReceiveJson>((await request.json()) ?? {}, receiveShape);
  if (group.isCommitted)
    throw new HttpError(
      409,
      'not-allowed',
      `Group "${group.name}" of topic "${group.topic.name}" delivers nothing: its members read the topic themselves. Receive from another group.`,
    );
  context.broker.budgets.check('consumers');
  return json({ messages: await collect(context.broker, group, options, request.signal) });
}

async function collect(
  broker: Broker,
  group: Group,
  { max = 1, waitMs = 0, ackWaitMs, as = 'auto' }: ReceiveJson,
  signal: AbortSignal,
): Promise<readonly ReceivedMessageJson[]> {
  const { topic } = group;
  const messages: ReceivedMessageJson[] = [];
  const receipts: Receipt[] = [];
  let leave = (): void => {};
  const end = await new Promise<CollectorEnd>((resolve) => {
    const collector = new Collector(
      broker.clock,
      {
        messagesMax: max,
        bytesMax: receivedBytesMax,
        takesAnyFirst: true,
        ...(ackWaitMs !== undefined && ackWaitMs !== group.config.ackWaitMs ? { ackWaitMs } : {}),
        ...(waitMs === 0 ? { idle: 'answer' as const } : { messagesMin: 1, waitMs }),
        label: 'admin HTTP',
      },
      {
        collected: (delivery) => {
          const { partition, record, deliveries } = delivery;
          const receipt = group.config.ack === 'none' ? null : Receipt.of(group, delivery);
          if (receipt) receipts.push(receipt);
          messages.push({
            ...messageJson(topic.name, partition, record, { as, valueBytesMax: Infinity }),
            receipt: receipt && broker.writeReceipt(receipt),
            deliveries,
          });
          return recordBytes(record);
        },
        completed: resolve,
      },
    );
    leave = (): void => collector.end();
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    collector.attach(group);
  });
  signal.removeEventListener('abort', leave);
  if (end === 'left') for (const receipt of receipts) receipt.release();
  if (end === 'group-deleted' || end === 'topic-deleted')
    throw new HttpError(
      404,
      'group-not-found',
      `Group "${group.name}" of topic "${topic.name}" was deleted.`,
    );
  return messages;
}

/** Settles deliveries by their receipts. Answers once all of it is on disk. */
export async function settle(
  request: AdminRequest,
  { broker, ...context }: AdminContext,
): Promise<JsonReply<SettledJson>> {
  const group = groupFor(request, { broker, ...context });
  const { answers } = readObject<SettleJson>(await request.json(), settleShape, ['answers']);
  // All are read before any is settled: a wrong one changes nothing.
  const receipts = answers.map((answer, at) => {
    checkAnswer(answer, at);
    const receipt = broker.readReceipt(answer.receipt);
    if (receipt?.group === group) return receipt;
    const what = `"answers[${at}].receipt" is not a receipt of group "${group.name}" of topic "${group.topic.name}".`;
    throw new HttpError(400, 'receipt-invalid', what);
  });
  const results = receipts.map((receipt, at) => {
    const answer = answers[at]!;
    return { settled: answerers[answer.answer](receipt, answer) };
  });
  await new Promise<void>((resolve) => broker.afterCommit(resolve));
  return json({ results });
}

function checkAnswer({ answer, delayMs, reason, ackWaitMs }: AnswerJson, at: number): void {
  const refuse = (problem: string): never => {
    throw invalidRequest(`"answers[${at}]" ${problem}.`);
  };
  if (answer === 'extend' && ackWaitMs === undefined) refuse('extends, so it must have "ackWaitMs"');
  if (answer === 'postpone' && delayMs === undefined) refuse('postpones, so it must have "delayMs"');
  if (ackWaitMs !== undefined && answer !== 'extend') refuse('has "ackWaitMs", which only "extend" takes');
  if (delayMs !== undefined && answer !== 'nack' && answer !== 'postpone')
    refuse('has "delayMs", which only "nack" and "postpone" take');
  if (reason !== undefined && answer !== 'nack' && answer !== 'reject')
    refuse('has "reason", which only "nack" and "reject" take');
}

const answerers: {
  readonly [K in AnswerJson['answer']]: (receipt: Receipt, answer: AnswerJson) => boolean;
} = {
  ack: (receipt) => receipt.ack(),
  nack: (receipt, { delayMs, reason }) => receipt.nack(delayMs, reason),
  reject: (receipt, { reason }) => receipt.reject(reason),
  release: (receipt) => receipt.release(),
  postpone: (receipt, { delayMs = 0 }) => receipt.postpone(delayMs),
  extend: (receipt, { ackWaitMs = 0 }) => receipt.setDeadline(ackWaitMs),
};
