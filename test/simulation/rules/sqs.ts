import type { Examination } from '../examination.ts';
import type { FactOf } from '../history.ts';
import type { SqsAsk, SqsResult } from '../sqs-facts.ts';
import {
  isOfServer,
  mayBeIn,
  slackMs,
  type OpenAsk,
  type ReceiveKnown,
  type SqsMessageKnown,
  type SqsQueueKnown,
} from '../sqs-known.ts';
import { letterQueues } from '../sqs-script.ts';
import { seenBy } from './sqs-receives.ts';
import { sentBy } from './sqs-sends.ts';

/* What SQS clients are told. They look into nothing: all they know are answers. */

type AskOf<K extends SqsAsk['what']> = Extract<SqsAsk, { readonly what: K }>;

/** Deliveries are on disk so much later, at the latest, in milliseconds. */
const storedAfterMs = 40;

export function sqsAsked(exam: Examination, { ask }: FactOf<'sqs-asked'>): void {
  const { sqs } = exam.known;
  sqs.open.set(exam.at, { ask, at: exam.at, ms: exam.ms });
  switch (ask.what) {
    case 'create':
      sqs.queue(ask.queue).traits ??= ask.traits;
      return;
    case 'send':
      for (const entry of ask.entries) {
        const message: SqsMessageKnown = {
          entry,
          queue: ask.queue,
          askedAt: exam.at,
          askedMs: exam.ms,
          askedRun: exam.known.run,
          state: 'asked',
          toldAt: -1,
          messageId: undefined,
          sequence: undefined,
          deletedAt: undefined,
          mayBeGone: [...sqs.open.values()].some(
            ({ ask: other }) => other.what === 'purge' && mayBeIn({ queue: ask.queue }, other.queue),
          ),
          mayHaveMoved: false,
          last: undefined,
        };
        sqs.messages.set(entry.name, message);
        const group = `${ask.queue} ${entry.group ?? ''}`;
        sqs.byGroup.set(group, [...(sqs.byGroup.get(group) ?? []), message]);
      }
      return;
    case 'purge':
      sqs.queue(ask.queue).purgedAt = exam.at;
      for (const message of sqs.messages.values()) if (mayBeIn(message, ask.queue)) message.mayBeGone = true;
      return;
    case 'move':
      moveAsked(exam, ask);
      return;
    case 'delete':
      for (const receive of receivesOf(exam, ask.receipts))
        receive.deleteAskedAt = Math.min(receive.deleteAskedAt, exam.at);
      return;
    case 'change':
      // If the process dies before the answer, either time may hold.
      for (const receive of receivesOf(exam, ask.receipts)) {
        const untilMs = exam.ms + ask.seconds * 1000;
        changeAsked(receive, untilMs);
        const { last } = receive.message;
        // A crash may have lost its count: then a later run gave the same number, and its handle is as good.
        if (last !== undefined && last.run !== receive.run && last.count === receive.count)
          changeAsked(last, untilMs);
      }
      return;
    default:
  }
}

function changeAsked(receive: ReceiveKnown, untilMs: number): void {
  receive.hiddenUntilMsMax = Math.max(receive.hiddenUntilMsMax, untilMs + slackMs);
  receive.hiddenUntilMs = Math.min(receive.hiddenUntilMs, untilMs);
}

/** Messages of that queue may go to any queue of its kind. */
function moveAsked({ known: { sqs }, at }: Examination, { source, destination }: AskOf<'move'>): void {
  const sources = Object.keys(letterQueues).filter((queue) => letterQueues[queue] === source);
  for (const name of [source, ...sources, ...(destination === undefined ? [] : [destination])])
    sqs.queue(name).movedAt = at;
  for (const message of sqs.messages.values()) if (mayBeIn(message, source)) message.mayHaveMoved = true;
}

export function sqsLeft({ known: { sqs }, at }: Examination, { of }: FactOf<'sqs-left'>): void {
  const open = sqs.open.get(of);
  if (open?.ask.what === 'receive') sqs.queue(open.ask.queue).lostReceiveAt = at;
  sqs.open.delete(of);
}

export function sqsTold(exam: Examination, fact: FactOf<'sqs-told'>): void {
  const { sqs } = exam.known;
  const open = sqs.open.get(fact.of);
  sqs.open.delete(fact.of);
  if (!open) return;
  const { ask } = open;
  switch (ask.what) {
    case 'create':
      if (fact.error !== undefined) return;
      sqs.queue(ask.queue).createdAt ??= exam.at;
      return onDiskIfNew(exam, open, sqs.queue(ask.queue));
    case 'send':
      for (const [at, entry] of ask.entries.entries()) {
        const result = fact.results![at];
        if (result) sentBy(exam, open, sqs.messages.get(entry.name)!, result);
        else exam.broken('a batch answers for each entry', `m${entry.name} has no result`);
      }
      return;
    case 'receive':
      return seenBy(exam, open, ask, fact);
    case 'delete':
    case 'change':
      return ask.receipts.forEach((receipt, at) => settledBy(exam, open, receipt, fact.results![at]));
    default:
  }
}

function onDiskIfNew(exam: Examination, { at }: OpenAsk, queue: SqsQueueKnown): void {
  if (queue.createdAt === exam.at && exam.known.run === 1 && exam.known.written < at)
    exam.broken('nobody hears of what is not on disk', `the queue ${queue.name}`);
}

// ---- handles

function receivesOf({ known: { sqs } }: Examination, receipts: readonly number[]): ReceiveKnown[] {
  return receipts.flatMap((receipt) => sqs.receives.get(receipt) ?? []);
}

function settledBy(exam: Examination, open: OpenAsk, receipt: number, result: SqsResult | undefined): void {
  const { ask } = open;
  const { sqs } = exam.known;
  if (!result) return exam.broken('a batch answers for each entry', `receipt ${receipt} has no result`);
  const isDone = result.kind === 'done';
  const code = result.kind === 'failed' ? result.code : '';
  if (isOfServer(code)) return doubt(sqs.receives.get(receipt));
  if (receipt < 0) {
    if (code !== 'ReceiptHandleIsInvalid')
      exam.broken('a handle that was made up is refused', `it was ${isDone ? 'taken' : code}`);
    return;
  }
  const receive = sqs.receives.get(receipt);
  if (!receive) return;
  const text = `receipt ${receipt} of m${receive.message.entry.name} in ${receive.queue}`;
  if (code === 'ReceiptHandleIsInvalid') {
    if (!receive.isDoubtful) exam.broken('a handle is taken while it holds', `${text} is not known`);
    return;
  }
  const { message } = receive;
  const validity = validityOf(exam, open, receive);
  if (ask.what === 'delete') {
    const mustBeTaken = validity === 'in flight' || (validity === 'current' && !isFifo(receive));
    if (!isDone && mustBeTaken) exam.broken('a handle is taken while it holds', `${text}: ${code}`);
    if (!isDone || validity === 'stale') return;
    if (mustBeTaken) {
      if (exam.known.written < open.at && message.deletedAt === undefined)
        exam.broken('nobody hears of what is not on disk', `the deletion of ${text}`);
      message.deletedAt ??= exam.at;
    } else message.mayBeGone = true;
    return;
  }
  if (!isDone) {
    if (validity === 'in flight') exam.broken('a handle is taken while it holds', `${text}: ${code}`);
    // It changed nothing; what was asked for may have been the earlier time.
    return;
  }
  if (validity === 'stale') exam.broken('a stale handle settles nothing', `${text} was taken`);
  if (ask.what !== 'change' || validity !== 'in flight') return;
  const untilMs = open.ms + ask.seconds * 1000;
  // Another change may have been asked for meanwhile.
  const isLast = ![...sqs.open.values()].some(
    (other) => other.ask.what === 'change' && other.ask.receipts.includes(receipt),
  );
  if (isLast) receive.hiddenUntilMs = untilMs;
}

function doubt(receive: ReceiveKnown | undefined): void {
  if (!receive) return;
  receive.message.mayBeGone = true;
  receive.hiddenUntilMs = 0;
}

function isFifo({ queue }: ReceiveKnown): boolean {
  return queue.endsWith('.fifo');
}

/**
 * What a handle was worth when it was used. `in flight`: its time was not over; `current`: it was, and no
 * other receive got the message; `stale`: another receive got it.
 */
function validityOf(
  exam: Examination,
  open: OpenAsk,
  receive: ReceiveKnown,
): 'in flight' | 'current' | 'stale' | 'unknown' {
  const { sqs } = exam.known;
  const { message, queue } = receive;
  const { ask } = open;
  if (message.deletedAt !== undefined || message.mayBeGone || receive.isDoubtful) return 'unknown';
  if (ask.what === 'change' && receive.deleteAskedAt < open.at) return 'unknown';
  const last = message.last!;
  if (last !== receive) {
    if (last.toldAt < open.at && !last.isDoubtful && last.run === receive.run) return 'stale';
    return 'unknown';
  }
  const { movedAt, lostReceiveAt, traits } = sqs.queue(queue);
  // Receives that wait may have got it, and say so later.
  const mayBeTaken = (): boolean =>
    lostReceiveAt > receive.toldAt ||
    [...sqs.open.values()].some(({ ask }) => ask.what === 'receive' && ask.queue === queue);
  if (open.ms < receive.hiddenUntilMs - slackMs) return 'in flight';
  const mayHaveDied = traits?.receivesMax !== undefined && receive.count >= traits.receivesMax;
  if (mayHaveDied || movedAt >= 0 || mayBeTaken() || message.mayHaveMoved) return 'unknown';
  return 'current';
}

// ---- the process, and the end

/** The process is gone. Requests without an answer were carried out, or not. */
export function sqsEnded(exam: Examination, isStopped: boolean): void {
  const { sqs } = exam.known;
  for (const { ask } of sqs.open.values()) {
    if (ask.what === 'receive') sqs.queue(ask.queue).lostReceiveAt = exam.at;
    if (ask.what === 'delete')
      for (const { message } of receivesOf(exam, ask.receipts)) message.mayBeGone = true;
  }
  sqs.open.clear();
  if (isStopped) return;
  for (const queue of sqs.queues) queue.lostReceiveAt = exam.at;
  // A receive that was not on disk is one that nobody remembers.
  for (const receive of sqs.receives.values())
    if (receive.run === exam.known.run && receive.toldMs + storedAfterMs > sqs.writtenMs) {
      receive.isDoubtful = true;
      receive.hiddenUntilMs = 0;
    }
}

export function sqsWritten({ events, known: { sqs } }: Examination, upTo: number): void {
  sqs.writtenMs = Math.max(sqs.writtenMs, events[upTo]?.ms ?? 0);
}

/** All queues were emptied: whatever was sent and not deleted must have been among it. */
export function sqsDrained(exam: Examination): void {
  const { sqs } = exam.known;
  if (sqs.isDamaged) return;
  for (const { entry, queue, state, deletedAt, mayBeGone } of sqs.messages.values())
    if (state === 'sent' && deletedAt === undefined && !mayBeGone)
      exam.broken('what is sent is received', `m${entry.name} of ${queue} was not, and not deleted`);
}
