import type { Record } from '../../log/index.ts';
import type { Admission } from './admission.ts';
import { topicError, type BrokerError } from '../errors.ts';
import type { PublishListener, PublishOptions } from './publishes.ts';
import type { Topic } from './topic.ts';

/**
 * Options of a publish to several topics. The `priority` is lowered in topics with fewer levels.
 */
export type PublishToAllOptions = Pick<PublishOptions, 'dedupeId' | 'deliverAtMs' | 'ttlMs' | 'priority'>;

/** Whether a refusal of one topic refuses the publish as a whole, or only for that topic. */
export type PublishToAllMode = 'all-or-none' | 'each';

/** A topic that did not take the message, and why. */
export interface TopicRefusal {
  readonly topic: Topic;
  readonly error: BrokerError;
}

/** Is told once how a publish to several topics ended. The token identifies the publish. */
export interface PublishToAllListener<T> {
  /** The message is on disk in every topic that took it. With `all-or-none` there are no refusals. */
  published(token: T, refusals: readonly TopicRefusal[]): void;
  /** No topic took the message. The error is the first refusal. */
  refused(token: T, error: Error): void;
}

const noRefusals: readonly TopicRefusal[] = [];
/** The listener of every topic except the one that answers for all. */
const deaf: PublishListener<undefined> = { published: () => {}, refused: () => {} };

/**
 * Publishes one record to several topics in one commit: after a crash it is in all topics that took it, or in
 * none. Every topic decides before the first of them changes. A topic in which the message would wait for
 * room or for its rate refuses it, because the others cannot wait with it.
 *
 * With `all-or-none`, one refusal refuses the publish. With `each`, topics that refuse are left out, and
 * listed in the answer. A topic that is listed twice gets the message once.
 */
export function publishToAll<T>(
  topics: readonly Topic[],
  record: Record,
  options: PublishToAllOptions | undefined,
  mode: PublishToAllMode,
  listener: PublishToAllListener<T>,
  token: T,
): void {
  const admitted: { readonly topic: Topic; readonly admission: Decided }[] = [];
  let refusals = noRefusals;
  for (const topic of new Set(topics)) {
    const admission = topic.admit(record, optionsFor(topic, options));
    const error = refusalOf(topic, admission);
    if (!error) admitted.push({ topic, admission: admission as Decided });
    else if (mode === 'all-or-none') return listener.refused(token, error);
    else refusals = [...refusals, { topic, error }];
  }
  if (admitted.length === 0) {
    // Without a topic there is nothing to wait for.
    if (refusals.length === 0) return listener.published(token, noRefusals);
    return listener.refused(token, refusals[0]!.error);
  }
  // All appends are in one commit, so one topic answers for all: one on disk, if there is one.
  const onDisk = admitted.findLast(({ topic }) => topic.config.durability === 'disk');
  const answering = onDisk ?? admitted.at(-1)!;
  const answer: PublishListener<T> = {
    published: (told) => listener.published(told, refusals),
    refused: (told, error) => listener.refused(told, error),
  };
  const { timestampMs } = record;
  for (const { topic, admission } of admitted) {
    record.timestampMs = timestampMs; // a topic with append times has overwritten it
    if (topic === answering.topic) topic.append(admission, record, answer, token);
    else topic.append(admission, record, deaf, undefined);
  }
}

type Decided = Exclude<Admission, { kind: 'waits' | 'refused' }>;

function optionsFor(topic: Topic, options: PublishToAllOptions | undefined): PublishToAllOptions | undefined {
  if (options?.priority === undefined) return options;
  return { ...options, priority: topic.priorityLike(options.priority) };
}

function refusalOf(topic: Topic, admission: Admission): BrokerError | undefined {
  if (admission.kind === 'refused') return admission.error;
  if (admission.kind === 'accepted') {
    const tooFast = topic.publishRate.refusalOf();
    if (tooFast) topic.publishRate.refused++;
    return tooFast;
  }
  if (admission.kind !== 'waits') return undefined;
  return admission.full ?? topicError(topic, 'topic-full', 'has publishes waiting that came before');
}
