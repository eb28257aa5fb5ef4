import { Examination, type Violation } from './examination.ts';
import type { Event, Fact, FactOf } from './history.ts';
import {
  answeredForClient,
  answering,
  channelMayEnd,
  channelPrefetch,
  consuming,
  declared,
  getting,
  givenBack,
  handedOver,
  handingOver,
  mandatory,
  recovered,
  recovering,
  returned,
  synced,
} from './rules/amqp.ts';
import { lettersGo } from './rules/amqp-letters.ts';
import { tx } from './rules/amqp-transactions.ts';
import { deadLettered } from './rules/dead-letters.ts';
import { delayedChanged } from './rules/delayed.ts';
import { scheduleControlled } from './rules/schedules.ts';
import { answered, delivered, idle, position } from './rules/deliveries.ts';
import { drained } from './rules/drained.ts';
import { pull, pulled } from './rules/pulls.ts';
import {
  active,
  activeAtRest,
  answeredBy,
  attaching,
  attachOutcome,
  deliveredTo,
  detached,
  reconfigured,
} from './rules/precedence.ts';
import { released } from './rules/receipts.ts';
import { publishedToAll, refusedByAll } from './rules/several-topics.ts';
import { ended, readable, started, stopped, stopping, written } from './rules/durability.ts';
import {
  damaged,
  groupAsked,
  groupDeleted,
  groupReset,
  queueAsked,
  removalAsked,
  topicAsked,
  topicDeleted,
} from './rules/definitions.ts';
import { inventory, topics } from './rules/inventories.ts';
import { fetched, offsetCommit, offsetSeen, transactionEnding } from './rules/kafka.ts';
import { outcome } from './rules/outcomes.ts';
import { resumed } from './rules/throttles.ts';
import { publishAsked, published, refused, sent } from './rules/publishing.ts';
import { sqsAsked, sqsDrained, sqsLeft, sqsTold } from './rules/sqs.ts';

export type { Violation } from './examination.ts';

/**
 * The promises. The checker reads a history and reports the broken ones; each is checked where its name
 * occurs in `rules/`.
 */
export const promises = [
  // the process and its disk
  'sound', // no exception, no hang, no start without success, no damage on a disk that is well
  'a failed sync is final',
  'nobody hears of what is not on disk', // no ack, delivery or read before a commit that may hold it is
  'a jump of the clock is told',
  // messages in
  'a publish is answered once',
  'refusals have a code',
  'nothing refused is stored',
  'expectations hold',
  'only a repeated id is a duplicate',
  'a duplicate is answered with its original',
  'no duplicate is stored',
  'one message of a unique key waits',
  'an ignored message is not stored',
  'a key is free after a first delivery',
  'a message that was replaced does not come',
  'a replaced message keeps its place',
  'the rate of a topic is kept',
  'no duplicate within the dedupe window',
  'an id is free after the window',
  'a publish to several topics is in all or in none',
  // messages that are there
  'no acked message is lost',
  'no message is invented',
  'no message is altered',
  'no message strays',
  'a message is stored once', // and once more for each time it was put back
  'offsets are never reused',
  'offsets ascend',
  'order per partition',
  'nothing delayed shows early',
  'what is delayed comes',
  'what is purged does not come later',
  'what is cancelled does not come',
  'what is gone stays gone',
  'what is done leaves the queue',
  'what expires goes', // and nothing goes before
  'limits hold',
  'counts are right',
  'no topic is lost',
  'a queue that is there has its group',
  'what is deleted stays deleted',
  // messages out
  'a group gets all it is owed',
  'a group gets what its filters ask for',
  'a deleted group gets nothing',
  'nothing expired is delivered',
  'a group gets nothing too old',
  'first deliveries go in order', // of one level
  'a higher priority goes first',
  'order per key',
  'a key is with one consumer',
  'what failed goes before the rest of its key',
  'what fails ends the run',
  'no more keys than allowed',
  'no more at once than the concurrency',
  'no faster than the rate',
  'nothing is delivered before its hold ends',
  'no more in flight than allowed',
  'deliveries count from 1',
  'deliveries count up by one',
  'deliveries are counted across restarts',
  'no more than maxDeliver deliveries',
  'no redelivery before deadline or nack',
  'a deadline that passed is noticed',
  'at most once where asked',
  'an answer in time is taken',
  'a stale receipt settles nothing',
  'a consumer holds what it was given', // in the order of delivery
  'a lower priority waits for a higher',
  'one consumer is active at a time',
  'a takeover is at once',
  'an active consumer is silent only after a time',
  'an exclusive consumer is alone',
  'a consumer is refused only for another',
  'what was given back goes out in order',
  'what was given back goes out at once',
  'a pull completes once',
  'a pull ends for a reason',
  'a pull takes no more than its maximum',
  'a pull is idle only when nothing is there',
  'what is removed is not under way',
  'no delivery after a durable ack',
  // schedules
  'a run is published once',
  'a run keeps its time',
  'a schedule ends',
  'a schedule that is paused does not run',
  'a schedule that is gone does not run',
  'a schedule runs',
  'what was missed is made up for as asked',
  // dead letters
  'a dead letter was delivered before',
  'a dead letter has a cause',
  'a dead letter says how often',
  'dead letter after exactly maxDeliver',
  'a dead letter is one',
  'no dead letter of what was acked',
  'no delivery after the dead letter',
  'what was put back is no dead letter any more',
  // what AMQP clients say and hear
  'a queue is what it was declared as',
  'clients get what their queue delivers', // in that order, for each consumer
  'a delivery tag is used once',
  'a redelivery says so',
  'what comes again goes first',
  'no more unanswered than the prefetch',
  'only what a client answers is settled',
  'what a client answers is settled',
  'a message without a queue comes back', // if it is mandatory, and no other does
  'no dead letter is lost',
  // what SQS clients hear
  'what is sent is received',
  'what is deleted does not come back',
  'a message in flight is not received',
  'a group is received in order',
  'a repeated send is the first one',
  'sequence numbers ascend',
  'a handle is taken while it holds',
  'a handle that was made up is refused',
  'a stale handle settles nothing',
  'a batch answers for each entry',
  'no more receives than maxReceiveCount',
  'receives count up',
  'a receive finds what is there',
  // reads and commits of Kafka clients
  'what was answered can be read',
  'a fetch passes nothing over',
  'what was committed stays',
  'a transaction is whole or not at all',
  'what is not committed is not seen',
  'what was aborted is gone',
] as const;

export type PromiseName = (typeof promises)[number];

/** The rules that handle each fact; some only remember it. */
const rules: { readonly [K in Fact['kind']]: (exam: Examination, fact: FactOf<K>) => void } = {
  started,
  stopping,
  stopped,
  crashed: (exam) => ended(exam, false),
  failed: () => {},
  problem: (exam, { text }) => exam.broken('sound', text),
  damaged: (exam, fact) => {
    exam.known.sqs.isDamaged = true;
    damaged(exam, fact);
  },
  'sync-failed': (exam) => void (exam.known.syncFailedAt ??= exam.at),
  written,
  readable,
  durable: (exam, { upTo }) => {
    exam.known.noteDurable(exam.known.run, upTo);
    const byMs = exam.known.clock.durable(upTo);
    if (byMs !== undefined) exam.broken('a jump of the clock is told', `${byMs} ms`);
  },
  'clock-set': ({ known, at, wallMs }, { byMs, isDown }) => {
    known.clock.set(at, wallMs, byMs, isDown);
    if (isDown) for (const group of known.groups.values()) group.holds = []; // their times may be over
  },
  'clock-jumped': ({ known }, { byMs }) => known.clock.told(byMs),
  idle: (exam, fact) => {
    idle(exam, fact);
    activeAtRest(exam);
  },
  outcome,
  asked: () => {},
  topic: topicAsked,
  'topic-deleted': topicDeleted,
  queue: queueAsked,
  group: (exam, fact) => {
    groupAsked(exam, fact);
    reconfigured(exam, fact);
  },
  'group-deleted': groupDeleted,
  'group-reset': groupReset,
  paused: () => {},
  resumed,
  publish: publishAsked,
  sent,
  published,
  refused,
  'published-to-all': publishedToAll,
  'refused-by-all': refusedByAll,
  delivered: (exam, fact) => {
    deliveredTo(exam, fact);
    delivered(exam, fact);
    handingOver(exam, fact);
  },
  answered: (exam, fact) => {
    answeredBy(exam, fact);
    answeredForClient(exam, fact);
    answered(exam, fact);
  },
  attaching,
  'attach-outcome': attachOutcome,
  detached,
  active,
  released,
  pull,
  pulled,
  'dead-lettered': deadLettered,
  fetched,
  'offset-commit': offsetCommit,
  'offset-seen': offsetSeen,
  'transaction-ending': transactionEnding,
  'delayed-changed': delayedChanged,
  'schedule-controlled': scheduleControlled,
  declared,
  consuming,
  'channel-prefetch': channelPrefetch,
  getting,
  'handed-over': handedOver,
  answering,
  recovering,
  recovered,
  synced,
  'channel-may-end': channelMayEnd,
  'given-back': givenBack,
  mandatory,
  returned,
  tx,
  'letters-go': lettersGo,
  'sqs-asked': sqsAsked,
  'sqs-told': sqsTold,
  'sqs-left': sqsLeft,
  'sqs-drained': sqsDrained,
  purge: removalAsked,
  remove: removalAsked,
  redrive: removalAsked,
  inventory,
  position,
  topics,
  drained,
};

/**
 * The promises that a history breaks, at the first event that shows it: later violations are mostly
 * consequences.
 */
export function check(events: readonly Event[]): readonly Violation[] {
  const exam = new Examination(events);
  for (let at = 0; at < events.length && exam.violations.length === 0 && !exam.known.clock.isUnsure; at++) {
    const { fact } = exam.goTo(at);
    (rules[fact.kind] as (exam: Examination, fact: Fact) => void)(exam, fact);
  }
  return exam.violations;
}
