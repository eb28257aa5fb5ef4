import {
  GroupKnown,
  Known,
  type DeliveryKnown,
  type Instance,
  type PublishKnown,
  type TopicKnown,
} from './facts.ts';
import type { Event, Fact, Fetched, Inventory } from './history.ts';
import { isDone, isOwed, mayBeGone } from './losses.ts';
import type { Sighting } from './message.ts';

/** A promise that was broken, and the event that shows it. */
export interface Violation {
  readonly rule: string;
  readonly text: string;
  readonly at: number;
}

/** The broker may say these of a publish; anything else is no refusal. After the last two the message may be stored or not. */
const refusals = [
  'message-too-large',
  'topic-full',
  'topic-bytes-full',
  'key-full',
  'wrong-last-offset',
  'wrong-last-key-offset',
  'wrong-last',
  'not-allowed',
  'topic-not-found',
  'sequence-gap',
  'producer-fenced',
  'not-in-transaction',
  'transaction-unknown',
  'storage-full',
  'closed',
  'storage-failed',
];
const unsureRefusals = ['closed', 'storage-failed'];

/** Slack for retention by age, which looks again every second while it cannot read. */
const ageSlackMs = 1100;

/**
 * The checker reads a history and says which promises it breaks:
 *
 * - nobody is told of a message, or can read it, before a commit that may hold it is on disk
 * - nothing more is committed after a failed sync
 * - no acked message is lost, none invented, none altered; offsets are never reused; order holds per partition
 * - nothing refused is stored; expectations hold; no duplicate within the dedupe window; nothing delayed shows early
 * - no redelivery before deadline, backoff or nack allow it; none after a durable ack; deliveries count up by one
 * - a dead letter after exactly maxDeliver failures or a reject, once, and not in its queue any more; none once it was put back
 * - retention takes only what it may and all it must; what is gone stays gone
 * - limits in flight and order per key are kept; a group gets everything it is owed, and its position never moves without cause
 */
export function check(events: readonly Event[]): Violation[] {
  return new Checker().check(events);
}

class Checker {
  readonly #known = new Known();
  readonly #violations: Violation[] = [];
  #at = 0;
  #ms = 0;
  #wallMs = 0;

  check(events: readonly Event[]): Violation[] {
    for (const [at, { fact, run, ms, wallMs }] of events.entries()) {
      this.#at = at;
      this.#ms = ms;
      this.#wallMs = wallMs;
      this.#known.run = run;
      this.#take(fact, events);
      if (this.#violations.length > 0) break; // what follows is mostly the same again
    }
    return this.#violations;
  }

  #broken(rule: string, text: string): undefined {
    this.#violations.push({ rule, text, at: this.#at });
    return undefined;
  }

  #take(fact: Fact, events: readonly Event[]): void {
    const known = this.#known;
    switch (fact.kind) {
      case 'problem':
        return this.#broken('sound', fact.text);
      case 'started':
        for (const topic of known.topics.values()) topic.readable.length = 0;
        known.isUp = true;
        known.upSinceWallMs = this.#wallMs;
        if (known.syncFailedAt !== undefined)
          this.#broken('a failed sync is final', 'the broker is up after it');
        return;
      case 'sync-failed':
        known.syncFailedAt ??= this.#at;
        return;
      case 'written':
        known.written = fact.upTo;
        if (known.isUp && known.syncFailedAt !== undefined && fact.upTo >= known.syncFailedAt)
          this.#broken('a failed sync is final', 'a commit was written after it');
        return;
      case 'readable':
        known.topic(fact.topic, this.#at).readable.push({ ...fact, written: known.written });
        return;
      case 'asked':
      case 'failed':
        return;
      case 'damaged':
        known.topic(fact.topic, this.#at).damages.push(fact);
        return;
      case 'stopped':
        known.noteDurable(known.run, this.#at);
        return this.#ended();
      case 'crashed':
        return this.#ended();
      case 'durable':
        return known.noteDurable(known.run, fact.upTo);
      case 'outcome':
        return this.#outcome(fact, events[fact.of]!);
      case 'topic':
        known.topic(fact.topic, this.#at).configs.push(fact.config);
        return;
      case 'topic-deleted':
        known.topic(fact.topic, this.#at).deletedAt ??= this.#at;
        known.topic(fact.topic, this.#at).deleted ??= { run: known.run, at: this.#at };
        return;
      case 'group':
        return this.#group(fact);
      case 'group-deleted':
        known.groups.get(fact.group)!.delete(known.run, this.#at);
        return;
      case 'group-reset': {
        const group = known.groups.get(fact.group)!;
        group.disturbedAt = this.#at;
        group.resets++;
        group.resetsUnderWay++;
        group.deliveries.clear();
        group.lastFresh = [];
        return;
      }
      case 'paused':
      case 'resumed':
        return;
      case 'publish':
        return this.#publish(fact);
      case 'published':
        return this.#published(known.publishes.get(fact.id)!, fact);
      case 'refused':
        return this.#refused(known.publishes.get(fact.id)!, fact);
      case 'sent':
        for (const id of fact.ids)
          Object.assign(known.publishes.get(id)!, {
            run: known.run,
            sentAt: this.#at,
            sentWallMs: this.#wallMs,
          });
        return;
      case 'fetched':
        return this.#fetched(known.topic(fact.topic, this.#at), fact);
      case 'delivered':
        return this.#delivered(known.groups.get(fact.group), known.topics.get(fact.topic), fact);
      case 'answered':
        return this.#answered(known.groups.get(fact.group)!, fact);
      case 'dead-lettered': {
        const group = known.groups.get(fact.group);
        const instance = group?.topic.instance(fact.partition, fact.offset);
        const delivery = instance && group!.deliveries.get(instance);
        if (delivery) delivery.deadLettered++;
        if (!group) return;
        group.givenUp.add(`${fact.partition}/${fact.offset}`);
        const where = `${group.topic.name}/${group.name}/${fact.partition}/${fact.offset}`;
        if (!known.deadLetteredAt.has(where)) known.deadLetteredAt.set(where, this.#at);
        return;
      }
      case 'offset-commit':
        return this.#offsetCommit(fact);
      case 'transaction-ending':
        if (fact.outcome === 'commit') known.transaction(fact.transaction).askCommit(this.#at, known.run);
        return;
      case 'offset-seen':
        return this.#offsetSeen(known.topic(fact.topic, this.#at), fact);
      case 'purge':
      case 'remove':
      case 'redrive':
        known.topic(fact.topic, this.#at).removals.push({ at: this.#at, fact, doneAt: Infinity });
        return;
      case 'inventory':
        return this.#inventory(known.topic(fact.topic, this.#at), fact);
      case 'topics':
        return this.#topics(fact.topics);
      case 'position':
        return;
      case 'drained':
        return this.#drained();
      default:
        return fact satisfies never;
    }
  }

  #ended(): void {
    this.#known.isUp = false;
    this.#known.syncFailedAt = undefined;
    for (const group of this.#known.groups.values()) {
      if (group.resetsUnderWay > 0) group.disturbedAt = this.#at;
      group.restarted(this.#known);
    }
    for (const topic of this.#known.topics.values()) {
      topic.restarted(this.#at);
      if (topic.deleted && !this.#known.isDurable(topic.deleted.run, topic.deleted.at))
        topic.deleted = undefined;
    }
  }

  #outcome({ of, error, count = 0 }: Extract<Fact, { kind: 'outcome' }>, asked: Event): void {
    const known = this.#known;
    if (error?.startsWith('exception')) return this.#broken('refusals have a code', error);
    const { fact, run } = asked;
    if (fact.kind === 'offset-commit') return known.commits.get(of)?.settle(this.#at, error !== undefined);
    if (fact.kind === 'transaction-ending') return this.#transactionEnded(fact, error !== undefined);
    if (fact.kind === 'group-reset') {
      const group = known.groups.get(fact.group)!;
      group.resetsUnderWay--;
      group.disturbedAt = this.#at;
    }
    if (error !== undefined) {
      if (fact.kind === 'group' && fact.isNew) known.groups.get(fact.group)!.delete(run, this.#at); // it never came to be
      return;
    }
    if (fact.kind === 'redrive') known.topics.get(fact.topic)!.redriven += count;
    if (fact.kind === 'purge' || fact.kind === 'redrive')
      known.topics.get(fact.topic)!.removals.find(({ at }) => at === of)!.doneAt = this.#at;
    if (
      fact.kind !== 'topic' &&
      fact.kind !== 'group' &&
      fact.kind !== 'topic-deleted' &&
      fact.kind !== 'remove'
    )
      return;
    known.noteDurable(run, of);
    if (fact.kind === 'group' && fact.isNew) known.groups.get(fact.group)!.readyAt = this.#at;
  }

  #group({ topic: topicKey, group: key, config, isNew }: Extract<Fact, { kind: 'group' }>): void {
    const topic = this.#known.topic(topicKey, this.#at);
    let group = this.#known.groups.get(key);
    if (!group) {
      group = new GroupKnown(key, topic, this.#at);
      this.#known.groups.set(key, group);
      topic.groups.push(group);
    }
    const filters = group.configs.at(-1)?.filters.join();
    group.configs.push(config);
    if (isNew) return;
    if (filters !== config.filters.join()) group.disturbedAt = this.#at;
    // What is in flight keeps its deadline, and then waits as the group says by then.
    for (const delivery of group.deliveries.values()) {
      const { answered, inFlightUntilMs, log } = delivery;
      if (answered) continue;
      const dueMs = inFlightUntilMs + group.backoffMsMin(log.at(-1)!.count);
      delivery.earliestMs = Math.min(delivery.earliestMs, dueMs);
    }
  }

  // ---- publishing

  #publish(fact: Extract<Fact, { kind: 'publish' }>): void {
    const topic = this.#known.topic(fact.topic, this.#at);
    const publish: PublishKnown = {
      ...fact,
      mayWait:
        fact.isGuess === true || topic.publishes.some(({ mayWait, answer }) => mayWait && answer === 'none'),
      askedAt: this.#at,
      askedWallMs: this.#wallMs,
      run: this.#known.run,
      sentAt: this.#at,
      sentWallMs: this.#wallMs,
      answer: 'none',
      answeredWallMs: Infinity,
      partition: -1,
      offset: -1,
    };
    this.#known.publishes.set(fact.plan.id, publish);
    topic.publishes.push(publish);
    if (fact.plan.rollup) topic.removals.push({ at: this.#at, fact, doneAt: Infinity });
  }

  #published(publish: PublishKnown, fact: Extract<Fact, { kind: 'published' }>): void {
    const topic = this.#known.topic(publish.topic, this.#at);
    const { partition, offset, duplicate } = fact;
    if (publish.answer !== 'none')
      return this.#broken('a publish is answered once', `m${fact.id} was answered before`);
    publish.answer = duplicate ? 'duplicate' : 'stored';
    publish.answeredWallMs = this.#wallMs;
    if (!topic.isVolatile) this.#known.noteDurable(publish.run, publish.sentAt);
    this.#dedupe(topic, publish, fact);
    if (duplicate || offset < 0) return;
    publish.partition = partition;
    publish.offset = offset;
    this.#onDisk(publish, topic, this.#known.written, 'acked');
    const since = topic.readable.find((then) => then.partition === partition && then.end > offset);
    if (since) this.#onDisk(publish, topic, since.written, 'readable');
    const { key, id } = publish.plan;
    this.#see({ partition, offset, id, key, timestampMs: publish.askedWallMs }, topic);
    this.#expected(topic, publish);
  }

  /** A commit that was written before the message was published cannot hold it. */
  #onDisk(publish: PublishKnown, topic: TopicKnown, written: number, what: string): void {
    if (topic.isVolatile || written >= publish.askedAt) return;
    this.#broken(
      'nobody hears of what is not on disk',
      `m${publish.plan.id} was ${what} before it was written`,
    );
  }

  #expected(
    topic: TopicKnown,
    { plan, expectedLastOffset, expectedLastKeyOffset, partition, offset }: PublishKnown,
  ): void {
    if (expectedLastOffset !== undefined && offset !== expectedLastOffset + 1)
      this.#broken(
        'expectations hold',
        `m${plan.id} expected last offset ${expectedLastOffset} and went to ${offset}`,
      );
    if (expectedLastKeyOffset === undefined) return;
    for (let at = expectedLastKeyOffset + 1; at < offset; at++) {
      const other = topic.instance(partition, at);
      if (!other || other.key !== plan.key || mayBeGone(other, this.#known, this.#wallMs) !== undefined)
        continue;
      this.#broken(
        'expectations hold',
        `m${plan.id} expected ${expectedLastKeyOffset} to be the last of its key, but ${at} was`,
      );
    }
  }

  /** Two acked publishes with one id are one message, surely within the window and surely not beyond it. */
  #dedupe(
    topic: TopicKnown,
    publish: PublishKnown,
    { partition, offset, duplicate }: { partition: number; offset: number; duplicate: boolean },
  ): void {
    const { dedupeId } = publish.plan;
    const windows = topic.configs.map(({ dedupeWindowMs }) => dedupeWindowMs);
    if (duplicate && dedupeId === undefined)
      return this.#broken('only a repeated id is a duplicate', `m${publish.plan.id} has none`);
    if (dedupeId === undefined) return;
    const others = topic.publishes.filter((other) => other !== publish && other.plan.dedupeId === dedupeId);
    if (duplicate) {
      const originals = others.filter((other) => other.answer !== 'duplicate' && other.answer !== 'refused');
      const original =
        originals.find((other) => other.offset === offset && other.partition === partition) ??
        originals.findLast((other) => other.offset < 0);
      if (!original)
        return this.#broken('a duplicate is answered with its original', `m${publish.plan.id} at ${offset}`);
      if (original.answeredWallMs + Math.max(...windows) < publish.askedWallMs)
        this.#broken(
          'an id is free after the window',
          `m${publish.plan.id} called a duplicate of m${original.plan.id}`,
        );
      return;
    }
    if (topic.configs.some(({ dedupeEntriesMax }) => dedupeEntriesMax < topic.publishes.length)) return;
    for (const other of others) {
      if (other.answer !== 'stored' || this.#wallMs - other.askedWallMs >= Math.min(...windows)) continue;
      this.#broken(
        'no duplicate within the dedupe window',
        `m${publish.plan.id} and m${other.plan.id} (${dedupeId})`,
      );
    }
  }

  #refused(publish: PublishKnown, { code, wasSentBefore = false }: Extract<Fact, { kind: 'refused' }>): void {
    const { plan } = publish;
    if (!refusals.includes(code)) return this.#broken('refusals have a code', `m${plan.id}: ${code}`);
    publish.answer = unsureRefusals.includes(code) || wasSentBefore ? 'unsure' : 'refused';
    // What waits for room may have gone in between.
    const waits = this.#known.topics.get(publish.topic)!.configs.some(({ overflow }) => overflow === 'wait');
    if (code === `wrong-${plan.expect}` && !waits && !publish.mayWait)
      this.#broken('expectations hold', `m${plan.id} was right, and refused with ${code}`);
  }

  // ---- what is seen

  /** Every sight of a stored message goes through here. */
  #see(seen: Sighting, topic: TopicKnown): Instance | undefined {
    const where = `${topic.key} ${seen.partition}/${seen.offset}`;
    const publish = this.#known.publishes.get(seen.id);
    if (!publish) return this.#broken('no message is invented', `${where} holds what nobody published`);
    if (seen.altered !== undefined)
      return this.#broken('no message is altered', `${where}: m${seen.id} has another ${seen.altered}`);
    const isNew = !topic.instance(seen.partition, seen.offset);
    const instance = this.#known.instanceOf(seen, topic, this.#at);
    if (!instance) {
      const before = topic.instance(seen.partition, seen.offset)!.id;
      return this.#broken('offsets are never reused', `${where} held m${before} and holds m${seen.id}`);
    }
    if (instance.goneAt !== undefined)
      return this.#broken('what is gone stays gone', `${where}: m${seen.id} is back`);
    if (isNew) this.#seeNew(instance, publish, where);
    return instance;
  }

  #seeNew(instance: Instance, publish: PublishKnown, where: string): void {
    const { topic, id, letter } = instance;
    if (letter) return this.#letter(instance, letter);
    if (publish.answer === 'refused') return this.#broken('nothing refused is stored', `${where}: m${id}`);
    if (publish.answer === 'duplicate') return this.#broken('no duplicate is stored', `${where}: m${id}`);
    if (publish.dueMs !== undefined && this.#wallMs < publish.dueMs)
      this.#broken(
        'nothing delayed shows early',
        `${where}: m${id} is due at ${publish.dueMs}, now ${this.#wallMs}`,
      );
    // Once where it was published, and once more for each time it was put back.
    const copies = [...topic.instances.values()].filter((other) => other.id === id && !other.letter);
    const { redrives } = this.#known;
    if (publish.topic !== topic.key && redrives === 0)
      this.#broken('no message strays', `${where}: m${id} was published to ${publish.topic}`);
    const letters = Math.max(1, topic.groups.length); // each group gives a message up by itself
    if (copies.length > 1 + redrives * letters)
      this.#broken(
        'a message is stored once',
        `${where}: m${id} stands at ${copies.map(({ offset }) => offset).join()}`,
      );
  }

  #letter(instance: Instance, letter: NonNullable<Instance['letter']>): void {
    const text = `letter m${instance.id} of ${letter.topic}/${letter.group} at ${letter.partition}/${letter.offset}`;
    const groups = [...this.#known.groups.values()].filter(
      ({ name, topic }) => name === letter.group && topic.name === letter.topic,
    );
    const had = groups.flatMap((group) => {
      const origin = group.topic.instance(letter.partition, letter.offset);
      const delivery = origin && group.deliveries.get(origin);
      return delivery && origin.id === instance.id ? [{ group, delivery }] : [];
    });
    // Of several groups of that name, one after the other, those that said so.
    const gaveUp = had.filter(({ group }) => group.givenUp.has(`${letter.partition}/${letter.offset}`));
    const deliveries = gaveUp.length > 0 ? gaveUp : had;
    const wasReset = groups.some(
      ({ resets, deletedAt, mayExpire }) => resets > 0 || deletedAt !== undefined || mayExpire,
    );
    if (deliveries.length === 0 && !wasReset)
      return this.#broken('a dead letter was delivered before', `${text} was not`);
    for (const { group, delivery } of deliveries) {
      const where = `${letter.partition}/${letter.offset}/${instance.id}`;
      const letters = group.letters.get(where) ?? [];
      group.letters.set(where, [...letters, instance]);
      delivery.deadLettered++;
      if (letters.length > this.#known.redrives && !wasReset)
        this.#broken('a dead letter is one', `${text} stands twice`);
      const last = delivery.log.at(-1)!.count;
      if (letter.cause.startsWith('max-deliveries')) {
        const isExact = group.configs.some(({ maxDeliver }) => maxDeliver === letter.deliveries) || wasReset;
        if (!wasReset && last !== letter.deliveries)
          this.#broken(
            'a dead letter says how often',
            `${text} says ${letter.deliveries}, delivered ${last} times`,
          );
        if (!isExact && group.configs.length === 1)
          this.#broken('dead letter after exactly maxDeliver', `${text} after ${letter.deliveries}`);
      } else if (!delivery.rejected && !wasReset)
        this.#broken('a dead letter has a cause', `${text}: ${letter.cause}`);
      if (delivery.acked && this.#known.holds(delivery.acked) && !wasReset)
        this.#broken('no dead letter of what was acked', text);
    }
  }

  // ---- consuming

  #delivered(
    group: GroupKnown | undefined,
    topic: TopicKnown | undefined,
    { seen, deliveries }: Extract<Fact, { kind: 'delivered' }>,
  ): void {
    if (!group || !topic) return this.#broken('sound', 'a delivery of a group that nobody created');
    const instance = this.#see(seen, topic);
    if (!instance) return;
    this.#seenCommitted(instance);
    const text = `m${seen.id} at ${seen.partition}/${seen.offset} to ${group.key}, delivery ${deliveries}`;
    const { run } = this.#known;
    this.#onDisk(this.#known.publishes.get(seen.id)!, topic, this.#known.written, 'delivered');
    if (group.deleted !== undefined) this.#broken('a deleted group gets nothing', text);
    if (!group.mayWant(seen.key))
      this.#broken('a group gets what its filters ask for', `${text}, key ${seen.key}`);
    const before = group.deliveries.get(instance);
    const delivery: DeliveryKnown = before ?? {
      instance,
      log: [],
      inFlightUntilMs: 0,
      earliestMs: 0,
      answered: false,
      acked: undefined,
      rejected: false,
      deadLettered: 0,
    };
    if (before) this.#again(group, before, deliveries, text);
    else if (deliveries !== 1 && group.resets === 0) this.#broken('deliveries count from 1', text);
    if (deliveries > group.maxDeliverMax) this.#broken('no more than maxDeliver deliveries', text);
    this.#inOrder(group, instance, deliveries === 1 && before === undefined, text);
    delivery.log.push({ run, at: this.#at, count: deliveries });
    delivery.answered = false;
    delivery.inFlightUntilMs = this.#ms + group.deadlineMsMin;
    delivery.earliestMs = delivery.inFlightUntilMs + group.backoffMsMin(deliveries);
    group.deliveries.set(instance, delivery);
  }

  #again(group: GroupKnown, before: DeliveryKnown, deliveries: number, text: string): void {
    const last = before.log.at(-1)!;
    const { run } = this.#known;
    if (before.acked && this.#known.holds(before.acked))
      this.#broken('no delivery after a durable ack', text);
    if (before.deadLettered > 0 && group.letters.size > 0 && this.#hasLetter(group, before.instance))
      this.#broken('no delivery after the dead letter', text);
    if (last.run === run) {
      if (group.isAtMostOnce) this.#broken('at most once where asked', text);
      if (deliveries !== last.count + 1)
        this.#broken('deliveries count up by one', `${text} after ${last.count}`);
      if (this.#ms < before.earliestMs - 0.01)
        this.#broken(
          'no redelivery before deadline or nack',
          `${text}, due at ${before.earliestMs}, now ${this.#ms}`,
        );
      return;
    }
    let least = 1;
    for (const { run, at, count } of before.log)
      if (this.#known.isDurable(run, at)) least = Math.max(least, count + 1);
    if (deliveries < least || deliveries > last.count + 1)
      this.#broken(
        'deliveries are counted across restarts',
        `${text}, at least ${least}, at most ${last.count + 1}`,
      );
  }

  #hasLetter(group: GroupKnown, { partition, offset, id }: Instance): boolean {
    return group.resets === 0 && (group.letters.get(`${partition}/${offset}/${id}`)?.length ?? 0) > 0;
  }

  /** The first deliveries go in order; of a key one at a time; no more in flight than the limit. */
  #inOrder(group: GroupKnown, instance: Instance, isFresh: boolean, text: string): void {
    const { partition, offset, key } = instance;
    const ordered = group.configs.some(({ ordering }) => ordering === 'key');
    const inFlight = [...group.deliveries.values()].filter(
      ({ instance: other, log, answered, inFlightUntilMs }) =>
        other.partition === partition &&
        other !== instance &&
        log.at(-1)!.run === this.#known.run &&
        !answered &&
        this.#ms < inFlightUntilMs &&
        !group.isAtMostOnce,
    );
    if (ordered) {
      const other = inFlight.find((delivery) => delivery.instance.key === key);
      if (other)
        this.#broken('order per key', `${text}, while m${other.instance.id} of its key is in flight`);
    }
    if (!isFresh) return;
    if (inFlight.length >= group.maxInFlightMax)
      this.#broken('no more in flight than allowed', `${text}, ${inFlight.length} others are`);
    if (ordered) return;
    const last = group.lastFresh[partition] ?? -1;
    if (offset < last) this.#broken('first deliveries go in order', `${text}, after ${last}`);
    group.lastFresh[partition] = offset;
  }

  /** What a Kafka client read: in order, all there is, and nothing that a crash could take back. */
  #fetched(topic: TopicKnown, fact: Fetched): void {
    const { partition, committedOnly, since, from, end, highWatermark, lastStableOffset, seen } = fact;
    const where = `a fetch of ${topic.key} partition ${partition} from ${from} to ${end}`;
    let last = from - 1;
    const readableEnd = committedOnly ? Math.min(highWatermark, lastStableOffset) : highWatermark;
    for (const sighting of seen) {
      const instance = this.#see(sighting, topic);
      if (!instance) return;
      this.#onDisk(this.#known.publishes.get(sighting.id)!, topic, this.#known.written, 'fetched');
      if (committedOnly) this.#seenCommitted(instance);
      if (sighting.offset <= last || sighting.offset >= readableEnd)
        this.#broken('offsets ascend', `${where}: ${sighting.offset} after ${last}, below ${readableEnd}`);
      last = sighting.offset;
    }
    const dropsEarly = topic.drops && this.#mayGrowUnknown(topic);
    for (const instance of topic.instances.values()) {
      const { offset, seenAt, goneAt, id } = instance;
      if (instance.partition !== partition) continue;
      if (seenAt < since && offset >= highWatermark)
        this.#broken(
          'what was answered can be read',
          `${where} knows of nothing from ${highWatermark} on, but m${id} is at ${offset}`,
        );
      if (offset < from || offset >= end || goneAt !== undefined || seen.some((one) => one.offset === offset))
        continue;
      if (!dropsEarly && mayBeGone(instance, this.#known, this.#wallMs) === undefined)
        this.#broken('a fetch passes nothing over', `${where} has no m${id} at ${offset}`);
    }
    topic.next[partition] = Math.max(topic.next[partition] ?? 0, highWatermark);
    topic.readable.push({ partition, end: highWatermark, written: this.#known.written });
  }

  #offsetCommit(fact: Extract<Fact, { kind: 'offset-commit' }>): void {
    const { topic, group, partition, offset, metadata, transaction } = fact;
    const known = this.#known;
    const committed = known.topic(topic, this.#at).committed(group, partition);
    if (transaction === undefined)
      known.commits.set(this.#at, committed.ask(offset, metadata, this.#at, known.run));
    else known.transaction(transaction).addPosition({ committed, offset, metadata });
  }

  #transactionEnded(
    { transaction: number, outcome }: Extract<Fact, { kind: 'transaction-ending' }>,
    isRefused: boolean,
  ): void {
    const transaction = this.#known.transaction(number);
    if (outcome === 'commit' && !isRefused) {
      if (transaction.vanished !== undefined)
        this.#broken(
          'a transaction is whole or not at all',
          `${number} was committed, and ${transaction.vanished}`,
        );
      transaction.commit(this.#at);
    } else if (outcome === 'commit' || !isRefused) {
      if (transaction.isCommitted)
        this.#broken('a transaction is whole or not at all', `${number} was aborted, and was seen`);
      transaction.abort(this.#at);
    }
  }

  /** Somebody saw it who is shown only what is decided. */
  #seenCommitted(instance: Instance): void {
    const transaction = this.#known.transactionOf(instance);
    if (!transaction) return;
    const { number, mayBeSeen, vanished } = transaction;
    const text = `m${instance.id} at ${instance.partition}/${instance.offset}, of transaction ${number}`;
    if (!mayBeSeen) this.#broken('what is not committed is not seen', text);
    if (vanished !== undefined)
      this.#broken('a transaction is whole or not at all', `${text} was seen, and ${vanished}`);
    transaction.isCommitted = true;
  }

  /** What a group committed is what it is told, after any crash: no position goes back by itself, and none is invented. */
  #offsetSeen(topic: TopicKnown, fact: Extract<Fact, { kind: 'offset-seen' }>): void {
    const { group, partition, since, offset, metadata } = fact;
    const problem = topic
      .committed(group, partition)
      .seen(offset, metadata, since, this.#known.run, this.#at);
    if (problem !== undefined)
      this.#broken('what was committed stays', `${group} on ${topic.key} partition ${partition}: ${problem}`);
  }

  /** Messages may come that no client knows of yet, and take the room of those that are dropped for them. */
  #mayGrowUnknown({ publishes, name }: TopicKnown): boolean {
    const isUnsure = publishes.some(({ answer }) => answer === 'none' || answer === 'unsure');
    const takesLetters = [...this.#known.groups.values()].some(({ configs }) =>
      configs.some(({ deadLetter }) => deadLetter === name),
    );
    return isUnsure || takesLetters || this.#known.redrives > 0;
  }

  #answered(group: GroupKnown, fact: Extract<Fact, { kind: 'answered' }>): void {
    const { partition, offset, answer, took, delayMs } = fact;
    const instance = group.topic.instance(partition, offset);
    const delivery = instance && group.deliveries.get(instance);
    if (!delivery) return;
    const text = `${answer} of m${instance.id} at ${partition}/${offset} by ${group.key}`;
    const isInTime = delivery.log.at(-1)!.run === this.#known.run && this.#ms < delivery.inFlightUntilMs;
    if (!took) {
      if (isInTime && !delivery.answered && !delivery.acked && group.deletedAt === undefined)
        this.#broken('an answer in time is taken', text);
      return;
    }
    const ack = { run: this.#known.run, at: this.#at };
    if (answer === 'ack') delivery.acked ??= ack;
    else if (answer === 'ack-all') {
      for (const other of group.deliveries.values())
        if (other.instance.partition === partition && other.instance.offset <= offset) {
          const isGivenUp = other.log.at(-1)!.count >= group.maxDeliverMin; // perhaps before the answer came
          if (isGivenUp && other !== delivery) other.answered = true;
          if (other.rejected || other.deadLettered > 0 || (isGivenUp && other !== delivery)) continue;
          if (!other.acked || !this.#known.holds(other.acked)) other.acked = ack;
          other.answered = true;
        }
    } else if (answer === 'reject') delivery.rejected = true;
    else if (answer === 'nack')
      delivery.earliestMs = this.#ms + (delayMs ?? group.backoffMsMin(delivery.log.at(-1)!.count));
    else {
      delivery.inFlightUntilMs = this.#ms + group.deadlineMsMin;
      delivery.earliestMs = delivery.inFlightUntilMs + group.backoffMsMin(delivery.log.at(-1)!.count);
      return;
    }
    if (answer === 'ack' && !this.#known.holds(delivery.acked!)) delivery.acked = ack;
    delivery.answered = true;
  }

  // ---- everything there is

  #inventory(topic: TopicKnown, fact: Inventory): void {
    const { partition, messages, count, first, next, keys } = fact;
    const where = `${topic.key} partition ${partition}`;
    if (next < (topic.next[partition] ?? 0))
      this.#broken(
        'offsets are never reused',
        `${where} ends at ${next}, and ended at ${topic.next[partition]} before`,
      );
    topic.next[partition] = next;
    topic.gone[partition] = next - count;
    const isWhole = topic.damages.length === 0;
    if (count !== messages.length && isWhole)
      this.#broken('counts are right', `${where} says ${count}, holds ${messages.length}`);
    const live = new Set<Instance>();
    let lastOffset = first - 1;
    /** By producer: the last message it published there. */
    const lastDirect = new Map<string | undefined, Instance>();
    for (const seen of messages) {
      if (seen.offset <= lastOffset || seen.offset >= next)
        this.#broken('offsets ascend', `${where}: ${seen.offset} after ${lastOffset}, below ${next}`);
      lastOffset = seen.offset;
      const instance = this.#see(seen, topic);
      if (!instance) return;
      live.add(instance);
      if (this.#known.transactionOf(instance)?.isAborted)
        this.#broken('what was aborted is gone', `${where}: m${seen.id} at ${seen.offset}`);
      const publish = this.#known.publishes.get(seen.id)!;
      if (publish.offset !== seen.offset || publish.partition !== partition || publish.topic !== topic.key)
        continue;
      if (publish.dueMs !== undefined) continue;
      const before = lastDirect.get(publish.plan.producer);
      if (before && before.id > seen.id)
        this.#broken('order per partition', `${where}: m${before.id} before m${seen.id}`);
      lastDirect.set(publish.plan.producer, instance);
    }
    for (const instance of topic.instances.values()) {
      if (instance.partition !== partition || instance.goneAt !== undefined) continue;
      if (live.has(instance)) this.#mustBeGone(instance);
      else if (topic.isDamaged(partition, instance.offset)) continue; // it may come back with the next process
      else if (this.#mayBeGone(instance)) instance.goneAt = this.#at;
      else
        this.#broken('no acked message is lost', `${where}: m${instance.id} at ${instance.offset} is gone`);
    }
    this.#limits(topic, fact);
    if (keys && isWhole) this.#keys(where, messages, keys);
  }

  #mayBeGone(instance: Instance): boolean {
    const cause = mayBeGone(instance, this.#known, this.#wallMs);
    if (cause === 'aborted')
      this.#known.transactionOf(instance)!.vanished ??= `m${instance.id} at ${instance.offset} is gone`;
    return cause !== undefined;
  }

  /** What every group is done with does not stay in a queue. */
  #mustBeGone(instance: Instance): void {
    const { topic } = instance;
    if (!topic.isQueueLike) return;
    const groups = topic.groups.filter(({ deletedAt }) => deletedAt === undefined);
    if (groups.some(({ disturbedAt, readyAt }) => disturbedAt >= 0 || readyAt === undefined)) return;
    // Its deletion was asked for before a crash.
    if (topic.groups.some(({ deletedAt, deleted }) => deletedAt !== undefined && !deleted)) return;
    // What is not decided, or stands behind it, is looked at later.
    const { publishes } = topic;
    if (publishes.some(({ transaction: of }) => of !== undefined && !this.#known.transaction(of).isDecided))
      return;
    // A group that lives in memory only, or has expired, leaves without a word what it was not done with.
    if (topic.groups.some((group) => !group.isStored || group.mayExpire)) return;
    const wanting = groups.filter((group) => group.mayWant(instance.key));
    if (wanting.length === 0 || !wanting.every((group) => this.#surelyDone(group, instance))) return;
    this.#broken('what is done leaves the queue', `${topic.key}: m${instance.id} at ${instance.offset}`);
  }

  #surelyDone(group: GroupKnown, instance: Instance): boolean {
    if (group.isCommitted) {
      const { partition, offset, topic } = instance;
      return topic.committed(group.name, partition).surelyPasses(offset, this.#at);
    }
    const delivery = group.deliveries.get(instance);
    if (!delivery) return false;
    return (delivery.acked && this.#known.holds(delivery.acked)) || this.#hasLetter(group, instance);
  }

  #limits(topic: TopicKnown, { partition, messages, keys }: Inventory): void {
    const where = `${topic.key} partition ${partition}`;
    if (topic.configs.length !== 1) return;
    const { messagesMax, ageMsMax, overflow, messagesPerKeyMax, overflowPerKey, compaction } =
      topic.configs[0]!;
    if (messagesMax !== undefined && overflow === 'drop-oldest' && messages.length > messagesMax)
      this.#broken('limits hold', `${where} holds ${messages.length} of at most ${messagesMax}`);
    // What was sent again keeps the time of its publish, and is looked at when it comes.
    const oldestMs = Math.min(
      ...messages.map(({ id, timestampMs }) =>
        Math.max(timestampMs, this.#known.publishes.get(id)!.sentWallMs),
      ),
    );
    // What waited for room keeps the time of its publish and may stand behind a younger one, which is looked at first.
    const dueMs = Math.max(oldestMs + (ageMsMax ?? Infinity), this.#known.upSinceWallMs);
    if (ageMsMax !== undefined && overflow !== 'wait' && this.#wallMs > dueMs + ageSlackMs)
      this.#broken(
        'limits hold',
        `${where} holds a message of ${this.#wallMs - oldestMs} ms, of at most ${ageMsMax}`,
      );
    const perKey = compaction ? 1 : overflowPerKey === 'drop-oldest' ? messagesPerKeyMax : undefined;
    // What a transaction pushes out goes some time after it was committed.
    if (perKey === undefined || topic.publishes.some(({ transaction }) => transaction !== undefined)) return;
    for (const [key, count] of keys ?? []) {
      if (count > perKey && (key !== '' || !compaction))
        this.#broken('limits hold', `${where} holds ${count} of key ${key}, of at most ${perKey}`);
    }
  }

  #keys(where: string, messages: readonly Sighting[], keys: NonNullable<Inventory['keys']>): void {
    const counts = new Map<string, number>();
    for (const { key } of messages) counts.set(key ?? '', (counts.get(key ?? '') ?? 0) + 1);
    for (const [key, count] of keys) {
      if (counts.get(key) !== count)
        this.#broken(
          'counts are right',
          `${where} says ${count} of key ${key}, holds ${counts.get(key) ?? 0}`,
        );
      counts.delete(key);
    }
    for (const [key, count] of counts)
      this.#broken('counts are right', `${where} forgot ${count} of key ${key}`);
  }

  #topics(keys: readonly string[]): void {
    for (const topic of this.#known.topics.values()) {
      const isThere = keys.includes(topic.key);
      const { deletedAt, created } = topic;
      if (deletedAt === undefined && !isThere && this.#known.holds(created))
        this.#broken('no topic is lost', `${topic.key} is gone`);
      if (topic.deleted && isThere && this.#known.holds(topic.deleted))
        this.#broken('what is deleted stays deleted', `${topic.key} is back`);
      const gone = topic.gone.reduce((sum, offsets) => sum + offsets, 0);
      if (isThere && !topic.isVolatile && gone < topic.redriven)
        this.#broken(
          'what was put back is no dead letter any more',
          `${topic.key}: ${topic.redriven} were put back, ${gone} are gone`,
        );
    }
  }

  /** Every delayed message that was accepted has come, where nothing may have taken it since. */
  #delayed(): void {
    for (const { plan, topic: key, dueMs, answer, offset } of this.#known.publishes.values()) {
      if (dueMs === undefined || dueMs > this.#wallMs || answer !== 'stored' || offset >= 0) continue;
      const topic = this.#known.topics.get(key)!;
      const mayBeGone = topic.isVolatile || topic.isQueueLike || topic.drops || topic.removals.length > 0;
      if (mayBeGone || topic.deletedAt !== undefined) continue;
      if (![...topic.instances.values()].some(({ id }) => id === plan.id))
        this.#broken('what is delayed comes', `m${plan.id} was due at ${dueMs}`);
    }
  }

  /** Every group that is left has had all it is owed, and is done with it. */
  #drained(): void {
    this.#delayed();
    for (const group of this.#known.groups.values()) {
      for (const instance of group.topic.instances.values()) {
        if (instance.goneAt !== undefined || !isOwed(group, instance, this.#known)) continue;
        const text = `m${instance.id} at ${instance.partition}/${instance.offset} of ${group.key}`;
        if (!group.deliveries.has(instance))
          this.#broken('a group gets all it is owed', `${text} was never delivered`);
        else if (!isDone(group, instance))
          this.#broken('a group gets all it is owed', `${text} was never settled`);
      }
    }
  }
}
