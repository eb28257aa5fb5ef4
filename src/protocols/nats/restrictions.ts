import type { LiveMessage, Route, Router } from '../../broker/index.ts';
import { subjectTokens, textOf, type Clock } from '../../util/index.ts';
import type { Frame } from '../../wire/nats/index.ts';
import { fullAccess, type Access, type Login, type NatsPermissions } from '../users/index.ts';
import { ResponsePermits } from './response-permits.ts';
import type { Session } from './session.ts';
import { PublishRules, SubscribeRules } from './subject-rules.ts';

const dollar = 36;
const jetStreamPrefix = '$JS.';
const ackPrefix = '$JS.ACK.';

/** Inboxes, where clients receive replies and deliveries, are `_INBOX.<of the client>.…`. */
const inbox = '_INBOX';

/** Whether a subscription may have a message: what pattern and permissions make of it. */
export interface DeliveryFilter {
  lets(message: LiveMessage): boolean;
}

/**
 * Restrictions hold what a client of NATS does against its permissions: by topic, as for all protocols, and
 * by subject. A session without restrictions has none.
 *
 * The verdict of the last publish is kept beside its route, and that of a subscription beside the route of its
 * last message: while they repeat, a verdict costs a comparison.
 */
export class Restrictions {
  readonly access: Access;
  readonly #router: Router;
  readonly #publish: PublishRules | undefined;
  readonly #subscribe: SubscribeRules | undefined;
  readonly #responses: ResponsePermits | undefined;
  /** The last publish was allowed, and not as an answer. */
  #wasAllowed = false;
  #route: Route | undefined = undefined;

  constructor(access: Access, permissions: NatsPermissions | undefined, router: Router, clock: Clock) {
    const { publish, subscribe, allowResponses } = permissions ?? {};
    this.access = access;
    this.#router = router;
    // Answers alone: as in nats-server, nothing else may be published then.
    const publishRules = publish ?? (allowResponses && { allow: [] });
    const isAll = allowResponses && publishRules && publishRules.allow === undefined;
    this.#publish = publishRules && new PublishRules(isAll ? { ...publishRules, allow: [] } : publishRules);
    this.#subscribe = subscribe && new SubscribeRules(subscribe);
    this.#responses = allowResponses && new ResponsePermits(allowResponses, clock);
  }

  /** Undefined when nothing is restricted. */
  static for({ access, user }: Login, router: Router, clock: Clock): Restrictions | undefined {
    const permissions = user?.nats;
    const isOpen =
      permissions === undefined ||
      (!permissions.publish && !permissions.subscribe && !permissions.allowResponses);
    if (access === fullAccess && isOpen) return undefined;
    return new Restrictions(access, permissions, router, clock);
  }

  /** Whether the client may publish what the frame holds; it is told when it may not. */
  publishes(session: Session, frame: Frame): boolean {
    // The same control line as before, without anything in between.
    if (frame.repeated && this.#wasAllowed) return true;
    const { buffer, subjectStart, subjectEnd } = frame;
    if (buffer[subjectStart] === dollar) {
      const subject = textOf(buffer, subjectStart, subjectEnd);
      if (subject.startsWith(jetStreamPrefix)) return this.#requests(session, subject);
    }
    const route = this.#router.match(buffer, subjectStart, subjectEnd, session.route);
    if (route !== session.route) {
      session.route = route;
      session.lookedUp();
    }
    if (route === this.#route && !route.open && this.#wasAllowed) return true;
    this.#route = route;
    this.#wasAllowed = false;
    const topic = route.topic;
    const subject = textOf(buffer, subjectStart, subjectEnd);
    const mayStore = topic === undefined || this.access.mayPublish(topic.name);
    if (mayStore && (this.#publish === undefined || this.#publish.allows(subject)))
      return (this.#wasAllowed = true);
    if (mayStore && this.#responses?.take(subject)) return true;
    session.deny('Publish to', subject);
    return false;
  }

  /**
   * The same for requests to JetStream and acks. The topics they are about are JetStream's to check, and the
   * subjects of acks never repeat.
   */
  #requests(session: Session, subject: string): boolean {
    this.#route = undefined;
    const rules = this.#publish;
    this.#wasAllowed =
      rules === undefined || (subject.startsWith(ackPrefix) ? rules.judge(subject) : rules.allows(subject));
    if (this.#wasAllowed || this.#responses?.take(subject)) return true;
    session.deny('Publish to', subject);
    return false;
  }

  /** The same for a subject that a header of the message names. */
  publishesTo(session: Session, subject: string): boolean {
    if (this.#publish === undefined || this.#publish.allows(subject)) return true;
    session.deny('Publish to', subject);
    return false;
  }

  /** Whether the client may subscribe; it is told when it may not. */
  subscribes(session: Session, pattern: string, queue: string | undefined): boolean {
    if (this.maySubscribe(pattern, queue)) return true;
    session.deny('Subscription to', pattern, queue);
    return false;
  }

  maySubscribe(pattern: string, queue: string | undefined): boolean {
    if (this.#subscribe !== undefined && !this.#subscribe.allows(pattern, queue)) return false;
    if (this.#isKeptFromInboxes && hearsInboxes(pattern) && pattern.startsWith(inbox)) return false;
    // One subject of a topic that may not be consumed: it would be silent for ever.
    const topic = this.#router.topicOf(pattern);
    return topic === undefined || this.access.mayConsume(topic.name);
  }

  /** What messages of a subscription are held against; undefined when it may have all of them. */
  filterOf(pattern: string): DeliveryFilter | undefined {
    const denies = this.#subscribe?.deniesPartOf(pattern) ? this.#subscribe : undefined;
    const access = this.access.consumesAll ? undefined : this.access;
    if (!denies && !access) return undefined;
    return new Filter(this.#router, access, denies, this.#isKeptFromInboxes && hearsInboxes(pattern));
  }

  /**
   * A client that may not consume everything would read it in the inboxes of others. Where it has permissions to
   * subscribe, those decide.
   */
  get #isKeptFromInboxes(): boolean {
    return this.#subscribe === undefined && !this.access.consumesAll;
  }

  /** The client has received a message that asks for an answer. */
  asked(message: LiveMessage): void {
    const { replyBuffer, replyStart, replyEnd } = message;
    this.#responses?.add(textOf(replyBuffer, replyStart, replyEnd));
  }

  get tracksReplies(): boolean {
    return this.#responses !== undefined;
  }
}

/**
 * The filter of a subscription. It looks at the subject that a message shows: that of a delivery by a consumer is
 * the subject that the message was stored under, so that messages of a topic need `consume` by whatever way they
 * come.
 */
class Filter implements DeliveryFilter {
  readonly #router: Router;
  readonly #access: Access | undefined;
  readonly #denies: SubscribeRules | undefined;
  readonly #dropsInboxes: boolean;
  #route: Route | undefined = undefined;
  #verdict = false;

  constructor(
    router: Router,
    access: Access | undefined,
    denies: SubscribeRules | undefined,
    dropsInboxes: boolean,
  ) {
    this.#router = router;
    this.#access = access;
    this.#denies = denies;
    this.#dropsInboxes = dropsInboxes;
  }

  lets(message: LiveMessage): boolean {
    const { subjectBuffer, subjectStart, subjectEnd } = message;
    const route =
      (message.route as Route | undefined) ??
      this.#router.match(subjectBuffer, subjectStart, subjectEnd, this.#route);
    // The siblings of an open route have one topic, but each its own subject.
    if (route === this.#route && (!route.open || this.#denies === undefined)) return this.#verdict;
    this.#route = route;
    return (this.#verdict = this.#judge(route, textOf(subjectBuffer, subjectStart, subjectEnd)));
  }

  #judge({ topic }: Route, subject: string): boolean {
    if (this.#denies?.denies(subject)) return false;
    if (this.#dropsInboxes && subject.startsWith(`${inbox}.`)) return false;
    return topic === undefined || this.#access === undefined || this.#access.mayConsume(topic.name);
  }
}

/** Whether a pattern hears inboxes of more than one client. */
function hearsInboxes(pattern: string): boolean {
  const [first, second] = subjectTokens(pattern);
  if (first === '>' || first === '*') return true;
  return first === inbox && (second === '*' || second === '>');
}
