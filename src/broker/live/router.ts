import { SystemRandom, textOf, type Random } from '../../util/index.ts';
import type { Budgets } from '../budgets.ts';
import type { LiveMessage } from './live-message.ts';
import { LiveTarget } from './live-target.ts';
import { LiveSubscription, Route, type LiveSubscriber, type QueueMembers } from './route.ts';
import { SubjectTree, type Leaf } from './subject-tree.ts';
import type { Topic } from '../topics/topic.ts';

export { LiveTarget } from './live-target.ts';

/** The maximum number of cached routes. One more clears the cache; routes in use are soon back. */
const cachedRoutesMax = 16_384;
/** A power of two. */
const seenSlots = 8192;
const dot = 46;
const hashPrime = 16777619;

/**
 * The router knows the current subscribers of all subjects, and the topics that capture subjects.
 *
 * Live messages pass through it and are not kept. A publisher looks up the {@link Route} of a subject by its
 * bytes and keeps it as a hint. No further lookup is needed until a subscription changes.
 */
export class Router<T = Topic> {
  readonly #tree = new SubjectTree<T>();
  readonly #seed: number;
  /** Routes by the hash of their key; if two have the same hash, the later one. */
  readonly #cache = new Map<number, Route<T>>();
  /** Hashes of subjects that were looked up once. Only the second lookup puts the route into the cache. */
  readonly #seenOnce = new Int32Array(seenSlots);
  /** Targets without a subscriber, by subject. */
  readonly #unheard = new Map<string, Set<LiveTarget<T>>>();
  readonly #topicPatterns = new Map<T, string[]>();
  readonly #topicNames = new Map<T, string>();
  readonly #budgets: Budgets | undefined;
  #subscriptionCount = 0;
  #pickState: number;

  constructor(random: Random = new SystemRandom(), budgets?: Budgets) {
    this.#budgets = budgets;
    this.#seed = random.int(2 ** 31);
    this.#pickState = random.int(2 ** 31 - 1) + 1;
  }

  get subscriptions(): number {
    return this.#subscriptionCount;
  }

  /**
   * Whether the broker cannot take another subscriber. Callers check it before {@link subscribe}, which
   * refuses none.
   */
  get isFull(): boolean {
    return this.#budgets?.refusal('subscriptions') !== undefined;
  }

  /** Adds a subscriber to a valid pattern, as a member of `queue` if given. */
  subscribe(pattern: string, queue: string | undefined, subscriber: LiveSubscriber): LiveSubscription {
    const subscription = new LiveSubscription(pattern, queue, subscriber);
    this.#tree.place(pattern).add(subscription);
    this.#tree.touch(pattern);
    this.#subscriptionCount++;
    this.#budgets?.take('subscriptions');
    if (this.#unheard.size > 0) this.#tellUnheard(pattern, subscription);
    return subscription;
  }

  /**
   * Removes a subscription. It gets no more messages, not even from a delivery in progress. A second call
   * does nothing.
   */
  unsubscribe(subscription: LiveSubscription): void {
    if (!subscription.active) return;
    const { pattern, targets } = subscription;
    this.#tree.find(pattern)!.remove(subscription);
    this.#tree.touch(pattern);
    this.#tree.prune(pattern);
    this.#subscriptionCount--;
    this.#budgets?.release('subscriptions');
    if (targets === undefined) return;
    subscription.targets = undefined;
    for (const target of targets) target.witnessGone();
  }

  /**
   * Makes a topic capture messages that are published to a pattern. Patterns of topics must not overlap; the
   * topic layer checks that first.
   */
  bindTopic(pattern: string, topic: T): void {
    const leaf = this.#tree.place(pattern);
    if (leaf.topic === topic) return;
    if (leaf.topic !== undefined) throw new Error(`The pattern "${pattern}" is bound to another topic.`);
    leaf.bind(topic);
    this.#tree.touch(pattern);
    const patterns = this.#topicPatterns.get(topic);
    if (patterns) patterns.push(pattern);
    else this.#topicPatterns.set(topic, [pattern]);
  }

  /**
   * Gives a topic the messages that are published to its name, unless another topic captures that subject.
   */
  bindName(name: string, topic: T): void {
    this.#tree.place(name).name(topic);
    this.#tree.touch(name);
    this.#topicNames.set(topic, name);
  }

  /** Removes all patterns and the name of a topic. */
  unbindTopic(topic: T): void {
    const name = this.#topicNames.get(topic);
    if (name !== undefined) {
      this.#tree.find(name)!.name(undefined);
      this.#tree.touch(name);
      this.#tree.prune(name);
      this.#topicNames.delete(topic);
    }
    for (const pattern of this.#topicPatterns.get(topic) ?? []) {
      this.#tree.find(pattern)!.bind(undefined);
      this.#tree.touch(pattern);
      this.#tree.prune(pattern);
    }
    this.#topicPatterns.delete(topic);
  }

  /** Whether a route is still what {@link match} would return. */
  isCurrent(route: Route<T>): boolean {
    return (
      route.scopeGeneration === route.scope.generation && route.rootGeneration === this.#tree.root.generation
    );
  }

  /**
   * The route of the subject in a range of bytes. `hint`: the caller's last route, which is cheapest if it
   * still applies.
   */
  match(buffer: Uint8Array, start: number, end: number, hint?: Route<T>): Route<T> {
    if (hint !== undefined && this.isCurrent(hint) && hint.covers(buffer, start, end)) return hint;
    let hash = this.#seed;
    let parentHash = 0;
    let lastDot = -1;
    for (let at = start; at < end; at++) {
      const byte = buffer[at]!;
      hash = Math.imul(hash ^ byte, hashPrime);
      if (byte === dot) {
        lastDot = at;
        parentHash = hash;
      }
    }
    const cache = this.#cache;
    let route = cache.get(hash);
    if (route !== undefined && this.isCurrent(route) && route.covers(buffer, start, end)) return route;
    if (lastDot >= 0) {
      route = cache.get(parentHash);
      if (route !== undefined && this.isCurrent(route) && route.covers(buffer, start, end)) return route;
    }
    return this.#resolve(buffer, start, end, { hash, parentHash, lastDot });
  }

  matchSubject(subject: string): Route<T> {
    const bytes = Buffer.from(subject, 'utf8');
    return this.match(bytes, 0, bytes.length);
  }

  /** The topic that captures a subject with one of its patterns, not by its name. */
  captorOf(subject: string): T | undefined {
    let topic: T | undefined;
    this.#tree.collect(subject.split('.'), (leaf) => (topic ??= leaf.topic));
    return topic;
  }

  /** The topic that stores messages published to a subject. */
  topicOf(subject: string): T | undefined {
    return this.matchSubject(subject).topic;
  }

  /** Whether a subject has subscribers now. A topic that captures it is not a subscriber. */
  hasInterest(subject: string): boolean {
    return this.matchSubject(subject).hasSubscribers;
  }

  /**
   * Whether any pattern can match subjects that begin with this token. If not, the caller can skip the lookup
   * of subjects that never repeat.
   */
  mayHear(token: string): boolean {
    const root = this.#tree.root;
    return root.rest !== undefined || root.star !== undefined || root.child(token) !== undefined;
  }

  /** A target for sending many messages to a subject. */
  target(subject: string): LiveTarget<T> {
    return new LiveTarget<T>(this, this.#unheard, subject);
  }

  /** Hands a message to the subscribers of its subject; returns how many took it. */
  publish(message: LiveMessage): number {
    const { subjectBuffer, subjectStart, subjectEnd } = message;
    return this.deliver(this.match(subjectBuffer, subjectStart, subjectEnd), message);
  }

  /**
   * Hands a message to all subscribers of a route and to one member of each queue; returns how many took it.
   * The caller deals with the topic.
   */
  deliver(route: Route<T>, message: LiveMessage): number {
    const { subscriptions, queues } = route;
    let count = 0;
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i]!;
      if (subscription.index >= 0 && subscription.subscriber.receive(message)) count++;
    }
    for (let i = 0; i < queues.length; i++) if (this.#deliverToOne(queues[i]!, message)) count++;
    return count;
  }

  /**
   * Picks a random member. If it is behind or refuses the message, tries the next ones that are not behind.
   * If no member took it, one that is behind gets it.
   */
  #deliverToOne(members: QueueMembers, message: LiveMessage): boolean {
    const first = members.length === 1 ? 0 : this.#pick(members.length);
    let anyCongested = false;
    for (let i = 0; i < members.length; i++) {
      const member = members[(first + i) % members.length]!;
      if (member.index < 0) continue;
      if (member.subscriber.congested) anyCongested = true;
      else if (member.subscriber.receive(message)) return true;
    }
    if (!anyCongested) return false;
    for (let i = 0; i < members.length; i++) {
      const member = members[(first + i) % members.length]!;
      if (member.index >= 0 && member.subscriber.congested && member.subscriber.receive(message)) return true;
    }
    return false;
  }

  /** Xorshift: random enough for queues, and almost free per message. */
  #pick(bound: number): number {
    let state = this.#pickState;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#pickState = state;
    return (state >>> 0) % bound;
  }

  #resolve(
    buffer: Uint8Array,
    start: number,
    end: number,
    at: { hash: number; parentHash: number; lastDot: number },
  ): Route<T> {
    const tokens = textOf(buffer, start, end).split('.');
    const scope = this.#tree.scope(tokens[0]!);
    const subscriptions: LiveSubscription[] = [];
    let queues: Map<string, LiveSubscription[]> | undefined;
    let topic: T | undefined;
    let named: T | undefined;
    const found = (leaf: Leaf<T>): void => {
      for (const subscription of leaf.subscriptions) subscriptions.push(subscription);
      if (leaf.queues) addMembers((queues ??= new Map<string, LiveSubscription[]>()), leaf.queues);
      topic ??= leaf.topic;
      named ??= leaf.named;
    };
    // A subject with an empty token matches no pattern, not even `>`.
    const valid = !tokens.includes('');
    const open = valid && this.#tree.collect(tokens, found) && at.lastDot >= 0;
    const hash = open ? at.parentHash : at.hash;
    const route = new Route<T>(
      { subscriptions, queues: queues ? [...queues.values()] : noQueues, topic: topic ?? named },
      { bytes: copyOf(buffer, start, open ? at.lastDot + 1 : end), open },
      scope,
      this.#tree.root.generation,
    );
    const slot = (hash ^ (hash >>> 15)) & (seenSlots - 1);
    if (open || this.#seenOnce[slot] === hash) {
      if (this.#cache.size >= cachedRoutesMax) this.#cache.clear();
      this.#cache.set(hash, route);
    } else {
      this.#seenOnce[slot] = hash;
    }
    return route;
  }

  #tellUnheard(pattern: string, subscription: LiveSubscription): void {
    for (const target of LiveTarget.matching(this.#unheard, pattern)) target.heardBy(subscription);
  }
}

const noQueues: readonly QueueMembers[] = [];

/**
 * A queue is identified by its name: members under different patterns that match the subject are one queue.
 */
function addMembers(
  queues: Map<string, LiveSubscription[]>,
  more: ReadonlyMap<string, readonly LiveSubscription[]>,
): void {
  for (const [name, members] of more) {
    const known = queues.get(name);
    if (known === undefined) queues.set(name, [...members]);
    else for (const member of members) known.push(member);
  }
}

/** Subjects are short: a loop is faster than creating the views for a native copy. */
function copyOf(buffer: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  for (let i = 0, at = start; at < end; i++, at++) copy[i] = buffer[at]!;
  return copy;
}
