import { hasWildcards, subjectMatches } from '../../util/index.ts';
import type { LiveMessage } from './live-message.ts';
import type { InterestHolder, LiveSubscription, Route } from './route.ts';
import type { Topic } from '../topics/topic.ts';

/** The router, as a target uses it. */
interface Routes<T> {
  isCurrent(route: Route<T>): boolean;
  match(buffer: Uint8Array, start: number, end: number): Route<T>;
  deliver(route: Route<T>, message: LiveMessage): number;
}

/**
 * A live target is a subject for many messages: the inbox of a pull request, the deliver subject of a push
 * consumer. It keeps the route, and can watch whether the subject has subscribers.
 *
 * Watching costs nothing while nothing changes. A target relies on one matching subscription, its witness,
 * and looks for another when that one is unsubscribed. Only targets without a subscriber are in a list, which
 * each new subscription is compared with.
 */
export class LiveTarget<T = Topic> implements InterestHolder {
  readonly subject: string;
  readonly #bytes: Uint8Array;
  readonly #router: Routes<T>;
  readonly #unheard: Map<string, Set<LiveTarget<T>>>;
  #route: Route<T> | undefined = undefined;
  #listener: ((present: boolean) => void) | undefined = undefined;
  #witness: LiveSubscription | undefined = undefined;

  constructor(router: Routes<T>, unheard: Map<string, Set<LiveTarget<T>>>, subject: string) {
    this.#router = router;
    this.#unheard = unheard;
    this.subject = subject;
    this.#bytes = Buffer.from(subject, 'utf8');
  }

  /** The targets in the list that match a new pattern. */
  static matching<T>(unheard: Map<string, Set<LiveTarget<T>>>, pattern: string): LiveTarget<T>[] {
    if (!hasWildcards(pattern)) return [...(unheard.get(pattern) ?? [])];
    const matching: LiveTarget<T>[] = [];
    for (const [subject, targets] of unheard) if (subjectMatches(pattern, subject)) matching.push(...targets);
    return matching;
  }

  get route(): Route<T> {
    const route = this.#route;
    if (route !== undefined && this.#router.isCurrent(route)) return route;
    return (this.#route = this.#router.match(this.#bytes, 0, this.#bytes.length));
  }

  /** Whether the subject has subscribers now. */
  get present(): boolean {
    return this.route.hasSubscribers;
  }

  /** The connection of the first subscriber. */
  get connection(): number | undefined {
    const { subscriptions, queues } = this.route;
    return (subscriptions[0] ?? queues[0]?.[0])?.subscriber.connection;
  }

  /** Whether a subscriber is behind, or all members of a queue are. */
  get congested(): boolean {
    return this.#congestedSubscription() !== undefined;
  }

  /**
   * Sends to the subscribers of this target; the message carries its own subject. Returns how many took it.
   */
  send(message: LiveMessage): number {
    return this.#router.deliver(this.route, message);
  }

  /**
   * Calls back once, when it may no longer be {@link congested}; the caller checks again. Calls back at once
   * if it is not congested.
   */
  whenDrained(callback: () => void): void {
    const subscription = this.#congestedSubscription();
    if (subscription) subscription.subscriber.whenDrained(callback);
    else callback();
  }

  /**
   * Calls back with false when the last subscriber has gone and with true when one has come, until {@link
   * close}. One watcher per target.
   */
  watch(listener: (present: boolean) => void): void {
    this.#listener = listener;
    this.#findWitness();
  }

  close(): void {
    this.#listener = undefined;
    this.#witness?.targets?.delete(this);
    this.#witness = undefined;
    this.#leaveUnheard();
  }

  /** Called by the router when the witness was unsubscribed. */
  witnessGone(): void {
    this.#witness = undefined;
    if (this.#listener === undefined) return;
    this.#findWitness();
    if (this.#witness === undefined) this.#listener(false);
  }

  /** Called by the router when a matching subscription was added. */
  heardBy(subscription: LiveSubscription): void {
    this.#leaveUnheard();
    this.#lean(subscription);
    this.#listener?.(true);
  }

  #findWitness(): void {
    const { subscriptions, queues } = this.route;
    const found = subscriptions[0] ?? queues[0]?.[0];
    if (found) {
      this.#lean(found);
      return;
    }
    const targets = this.#unheard.get(this.subject);
    if (targets) targets.add(this);
    else this.#unheard.set(this.subject, new Set([this]));
  }

  #lean(subscription: LiveSubscription): void {
    this.#witness = subscription;
    (subscription.targets ??= new Set()).add(this);
  }

  #leaveUnheard(): void {
    const targets = this.#unheard.get(this.subject);
    if (targets?.delete(this) && targets.size === 0) this.#unheard.delete(this.subject);
  }

  /**
   * The subscription to wait for: a plain subscriber that is behind, or a member of a queue if all its
   * members are.
   */
  #congestedSubscription(): LiveSubscription | undefined {
    const { subscriptions, queues } = this.route;
    for (let i = 0; i < subscriptions.length; i++) {
      if (subscriptions[i]!.subscriber.congested) return subscriptions[i];
    }
    for (let i = 0; i < queues.length; i++) {
      const members = queues[i]!;
      if (members.every((member) => member.subscriber.congested)) return members[0];
    }
    return undefined;
  }
}
