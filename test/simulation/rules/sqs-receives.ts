import type { Examination } from '../examination.ts';
import type { FactOf } from '../history.ts';
import type { SqsAsk, SqsSeen } from '../sqs-facts.ts';
import {
  isOfServer,
  mayBeIn,
  slackMs,
  windowMs,
  type OpenAsk,
  type ReceiveKnown,
  type SqsMessageKnown,
} from '../sqs-known.ts';
import { letterQueues } from '../sqs-script.ts';

type ReceiveAsk = Extract<SqsAsk, { readonly what: 'receive' }>;

/** What a receiver is told. */
export function seenBy(
  exam: Examination,
  open: OpenAsk,
  ask: ReceiveAsk,
  { error, seen = [] }: FactOf<'sqs-told'>,
): void {
  const { sqs } = exam.known;
  const queue = sqs.queue(ask.queue);
  if (error !== undefined) {
    if (isOfServer(error)) queue.lostReceiveAt = exam.at;
    return;
  }
  const isRepeated =
    ask.attempt !== undefined && open.ms - (queue.attempts.get(ask.attempt) ?? -Infinity) < windowMs;
  if (seen.length === 0) return foundNothing(exam, open, ask);
  if (ask.attempt !== undefined) queue.attempts.set(ask.attempt, exam.ms);
  const names = new Set<number>();
  for (const one of seen) {
    const message = sqs.messages.get(one.name);
    if (!message) return exam.broken('no message is invented', `${ask.queue} has what was never sent`);
    if (names.has(one.name))
      exam.broken('a message in flight is not received', `m${one.name} came twice at once`);
    names.add(one.name);
    received(exam, open, ask, one, message, isRepeated);
  }
  if (ask.queue.endsWith('.fifo') && ask.queue !== 'dead.fifo' && !isRepeated) inOrder(exam, open, ask, seen);
}

function received(
  exam: Examination,
  open: OpenAsk,
  ask: ReceiveAsk,
  seen: SqsSeen,
  message: SqsMessageKnown,
  isRepeated: boolean,
): void {
  const text = `m${seen.name} of ${ask.queue}`;
  if (message.state === 'refused') exam.broken('nothing refused is stored', text);
  if (message.state === 'duplicate') exam.broken('a repeated send is the first one', `${text} was received`);
  if (seen.altered !== undefined) exam.broken('no message is altered', `${text} has another ${seen.altered}`);
  if (!mayBeIn(message, ask.queue)) exam.broken('no message strays', `${text} was sent to ${message.queue}`);
  if (message.messageId !== undefined && seen.messageId !== message.messageId)
    exam.broken('no message is altered', `${text} is ${seen.messageId}, and was ${message.messageId}`);
  message.messageId ??= seen.messageId;
  if (message.state === 'asked' && exam.known.written < message.askedAt)
    exam.broken('nobody hears of what is not on disk', text);
  notDeleted(exam, open, message, text);
  const { last } = message;
  // Of receives at the same time the later one may be answered first.
  const isOverlapping = last !== undefined && last.toldAt > open.at;
  const isLate =
    isOverlapping &&
    (last.queue === ask.queue ? seen.count < last.count : letterQueues[ask.queue] === last.queue);
  if (last && seen.receipt === last.receipt) {
    if (!isRepeated) exam.broken('a message in flight is not received', `${text} has the same handle again`);
  } else if (last && !isLate && exam.ms < last.hiddenUntilMs - slackMs && !isRepeatOpen(exam, open, ask))
    exam.broken('a message in flight is not received', `${text} came again before its time`);
  const { traits, lostReceiveAt } = exam.known.sqs.queue(ask.queue);
  // What a client that left gave back counts, and is delivered all the same.
  const max = lostReceiveAt > message.askedAt ? Infinity : (traits?.receivesMax ?? Infinity);
  if (seen.count < 1 || seen.count > max)
    exam.broken('no more receives than maxReceiveCount', `${text}: ${seen.count} of ${max}`);
  if (
    last &&
    !isLate &&
    counts(exam, last, ask.queue, message) &&
    seen.count <= last.count &&
    seen.receipt !== last.receipt
  )
    exam.broken('receives count up', `${text}: ${seen.count} after ${last.count}`);
  // A receive that waits may have got the message as soon as it was sent, and its answer took some time.
  const atMs = Math.max(open.ms, message.askedMs);
  const receive: ReceiveKnown = {
    receipt: seen.receipt,
    message,
    queue: ask.queue,
    askedAt: open.at,
    toldAt: exam.at,
    toldMs: exam.ms,
    run: exam.known.run,
    count: seen.count,
    // A receive that is repeated may have been overtaken by a change.
    hiddenUntilMs: Math.min(
      atMs + ask.visibility * 1000,
      last?.receipt === seen.receipt ? last.hiddenUntilMs : Infinity,
    ),
    hiddenUntilMsMax: exam.ms + ask.visibility * 1000 + slackMs,
    deleteAskedAt: Infinity,
    isDoubtful: false,
  };
  if (!isLate) message.last = receive;
  exam.known.sqs.receives.set(seen.receipt, receive);
}

/** Whether a receive of an attempt is without an answer: it may be repeated, with another visibility. */
function isRepeatOpen({ known: { sqs } }: Examination, open: OpenAsk, { queue }: ReceiveAsk): boolean {
  for (const other of sqs.open.values()) {
    const { ask } = other;
    if (other !== open && ask.what === 'receive' && ask.queue === queue && ask.attempt !== undefined)
      return true;
  }
  return false;
}

/** Whether the count of the receive before is known to the broker. */
function counts(
  exam: Examination,
  last: ReceiveKnown,
  queue: string,
  { mayHaveMoved }: SqsMessageKnown,
): boolean {
  return last.queue === queue && !mayHaveMoved && !last.isDoubtful && exam.known.sqs.queue(queue).movedAt < 0;
}

function notDeleted(exam: Examination, open: OpenAsk, message: SqsMessageKnown, text: string): void {
  if (message.deletedAt === undefined) return;
  if (message.deletedAt < open.at)
    return exam.broken('what is deleted does not come back', `${text}, deleted at ${message.deletedAt}`);
  // The receive had got the message when the other handle was used.
  message.deletedAt = undefined;
  message.mayBeGone = true;
}

/** In a FIFO queue a message comes only when those of its group before it are gone, or with it. */
function inOrder(exam: Examination, open: OpenAsk, ask: ReceiveAsk, seen: readonly SqsSeen[]): void {
  const { sqs } = exam.known;
  const before = new Set<SqsMessageKnown>();
  for (const { name, group } of seen) {
    const message = sqs.messages.get(name)!;
    for (const other of sqs.byGroup.get(`${ask.queue} ${group ?? ''}`) ?? []) {
      if (other === message) break;
      if (other.state !== 'sent' || before.has(other) || mayBeOut(exam, open, other)) continue;
      // Sends that were under way at the same time are stored in any order.
      if (other.toldAt > message.askedAt && other.askedAt !== message.askedAt) continue;
      // A message that a move task brought does not wait for the delay of the queue.
      if (message.mayHaveMoved && (sqs.queue(ask.queue).traits?.delay ?? 0) > 0) continue;
      exam.broken('a group is received in order', `m${name} of ${group} came before m${other.entry.name}`);
    }
    before.add(message);
  }
}

/** Whether a message may not be in its queue any more, or not yet again. */
function mayBeOut({ known: { sqs } }: Examination, open: OpenAsk, other: SqsMessageKnown): boolean {
  if (other.deletedAt !== undefined || other.mayBeGone || other.mayHaveMoved || sqs.isDamaged) return true;
  const { traits, lostReceiveAt } = sqs.queue(other.queue);
  if (letterQueues[other.queue] !== undefined) {
    if (traits?.receivesMax === undefined) return true;
    // Receives of which nobody heard count as well, also those that have no answer yet.
    if (lostReceiveAt > other.askedAt) return true;
    for (const { ask } of sqs.open.values())
      if (ask.what === 'receive' && ask.queue === other.queue) return true;
    if (other.last && other.last.queue !== other.queue) return true; // it has died
    if ((other.last?.count ?? 0) >= traits.receivesMax) return true;
  }
  // Its deletion was asked for.
  for (const { ask } of sqs.open.values())
    if (ask.what === 'delete' && other.last && ask.receipts.includes(other.last.receipt)) return true;
  return open.at < other.toldAt;
}

/**
 * A receive that finds nothing was right. Only of standard queues, and of messages that nobody can have
 * received.
 */
function foundNothing(exam: Examination, open: OpenAsk, { queue: name, wait }: ReceiveAsk): void {
  const { sqs } = exam.known;
  const queue = sqs.queue(name);
  // In a short time the disk may not have answered.
  if (wait > 0 && wait < 20) return;
  if (name.endsWith('.fifo') || queue.movedAt >= 0 || sqs.isDamaged) return;
  for (const { ask } of sqs.open.values()) if (ask.what === 'receive' && ask.queue === name) return;
  for (const message of sqs.messages.values()) {
    const { entry, state, toldAt, last, mayBeGone, deletedAt } = message;
    if (message.queue !== name || state !== 'sent' || last || mayBeGone || deletedAt !== undefined) continue;
    if (toldAt > open.at || queue.lostReceiveAt > message.askedAt) continue;
    const delay = entry.delay ?? queue.traits?.delay ?? 0;
    if (open.ms < message.askedMs + delay * 1000 + 50) continue;
    // What became due while the broker was down is published after its start.
    if (delay > 0 && exam.wallMs - exam.known.upSinceWallMs < 100) continue;
    exam.broken('a receive finds what is there', `m${entry.name} of ${name} (after ${wait} s)`);
  }
}
