import type { Examination } from '../examination.ts';
import type { SqsResult } from '../sqs-facts.ts';
import { isOfServer, slackMs, windowMs, type OpenAsk, type SqsMessageKnown } from '../sqs-known.ts';

/** What the sender of a message is told. */
export function sentBy(exam: Examination, open: OpenAsk, message: SqsMessageKnown, result: SqsResult): void {
  const { name } = message.entry;
  if (result.kind === 'failed') {
    if (isOfServer(result.code)) return;
    message.state = 'refused';
    if (message.last) exam.broken('nothing refused is stored', `m${name} was received`);
    return;
  }
  message.toldAt = exam.at;
  message.messageId = result.messageId;
  message.sequence = result.sequence;
  const original = originalOf(exam, open, message);
  if (original === 'unsure') {
    const isOther = sendsOf(exam, message).some(({ messageId }) => messageId === result.messageId);
    message.state = isOther ? 'duplicate' : 'asked'; // it may be one of a send without an answer
    return;
  }
  if (original) return repeated(exam, message, original);
  message.state = 'sent';
  if (exam.known.written < open.at) exam.broken('nobody hears of what is not on disk', `m${name}`);
  ascends(exam, message);
}

function repeated(exam: Examination, message: SqsMessageKnown, original: SqsMessageKnown): void {
  message.state = 'duplicate';
  const text = `m${message.entry.name}, which repeats m${original.entry.name},`;
  if (message.last) exam.broken('a repeated send is the first one', `${text} was received`);
  // Who sent a message before a restart, or whose message is delayed, is told another id.
  const isDelayed = (exam.known.sqs.queue(message.queue).traits?.delay ?? 0) > 0;
  if (isDelayed) return;
  if (message.messageId !== original.messageId || message.sequence !== original.sequence)
    exam.broken(
      'a repeated send is the first one',
      `${text} is ${message.messageId} ${message.sequence}, and not ${original.messageId} ${original.sequence}`,
    );
}

/** Earlier sends with the same deduplication id. */
function sendsOf({ known: { sqs } }: Examination, message: SqsMessageKnown): SqsMessageKnown[] {
  const { entry, queue } = message;
  if (entry.dedupeId === undefined) return [];
  const isScoped = sqs.queue(queue).traits?.isScoped === true;
  const sends: SqsMessageKnown[] = [];
  for (const other of sqs.messages.values()) {
    if (other.queue !== queue || other.entry.dedupeId !== entry.dedupeId) continue;
    if (other === message) break;
    if (!isScoped || other.entry.group === entry.group) sends.push(other);
  }
  return sends;
}

/** The message that this one repeats; undefined: none. */
function originalOf(
  exam: Examination,
  { ms }: OpenAsk,
  message: SqsMessageKnown,
): SqsMessageKnown | 'unsure' | undefined {
  for (const other of sendsOf(exam, message).reverse()) {
    if (other.state === 'duplicate' || other.state === 'refused') continue;
    const agoMs = ms - other.askedMs;
    if (agoMs > windowMs + 20_000) return undefined;
    if (other.state !== 'sent' || agoMs > windowMs - slackMs) return 'unsure';
    return other;
  }
  return undefined;
}

/** Of two sends one after the other, the second has the greater number. */
function ascends(exam: Examination, message: SqsMessageKnown): void {
  const { sequence, queue, entry, askedAt, askedRun } = message;
  if (sequence === undefined) return;
  // A restart forgets the numbers of delayed messages that were purged.
  const { purgedAt, traits } = exam.known.sqs.queue(queue);
  const mayRepeat = purgedAt >= 0 && traits?.delay !== 0;
  for (const other of exam.known.sqs.byGroup.get(`${queue} ${entry.group ?? ''}`) ?? [])
    if (!(mayRepeat && other.askedRun !== askedRun))
      if (
        other.state === 'sent' &&
        other.toldAt < askedAt &&
        other.toldAt >= 0 &&
        other.sequence! >= sequence
      )
        exam.broken(
          'sequence numbers ascend',
          `m${entry.name} has ${sequence}, m${other.entry.name} ${other.sequence}`,
        );
}
