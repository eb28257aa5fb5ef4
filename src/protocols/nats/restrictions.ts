import type { LiveMessage, Route, Router } from '../../broker/index.ts';
import { subjectTokens, textOf, type Clock } from '../../util/index.ts';
import type { Frame } from '../../wire/nats/index.ts';
import { fullAccess, type Access, type Login, type NatsPermissions } from '../users/index.ts';
import { AckPrefixes } from './ack-prefixes.ts';
import { ResponsePermits } from './response-permits.ts';
import type { Session } from './session.ts';
import { PublishRules, SubscribeRules } from './subject-rules.ts';

const dollar = 36;
const jetStreamPrefix = '$JS.';
const ackPrefix = '$JS.ACK.';

/** The first token of inboxes, where clients receive replies and deliveries: `_INBOX.<of the client>.…`. */
const inbox = '_INBOX';

/** Decides which messages a subscription may have, by its pattern and the permissions. */
export interface DeliveryFilter {
  lets(message: LiveMessage): boolean;
}

/**
 * Restrictions check the actions of a NATS client against its permissions: by topic, as for all protocols,
 * and by subject. A session without restrictions has no such object.
 *
 * The verdict of the last publish is kept beside its route, and that of a subscription beside the route of
 * its last message. While they repeat, a verdict costs one comparison.
 */
export class Restrictions {
  readonly access: Access;
  readonly #router: Router;
  readonly #publish: PublishRules | undefined;
  /** Absent if rules may tell acks of one consumer apart. */
  readonly #acks: AckPrefixes | undefined;
  readonly #subscribe: SubscribeRules | undefined;
  readonly #responses: ResponsePermits | undefined;
  /** Whether the last publish was allowed, other than as an answer. */
  #wasAllowed = false;
  #route: Route | undefined = undefined;

  constructor(access: Access, permissions: NatsPermissions | undefined, router: Router, clock: Clock) {
    const { publish, subscribe, allowResponses } = permissions ?? {};
    this.access = access;
    this.#router = router;
    // With `allowResponses` alone nothing but answers may be published, as in nats-server.
    const publishRules = publish ?? (allowResponses && { allow: [] });
    const isAll = allowResponses && publishRules && publishRules.allow === undefined;
    this.#publish = publishRules && new PublishRules(isAll ? { ...publishRules, allow: [] } : publishRules);
    if (AckPrefixes.suffices(this.#publish?.patterns ?? [])) this.#acks = new AckPrefixes();
    this.#subscribe = subscribe && new SubscribeRules(subscribe);
    this.#responses = allowResponses && new ResponsePermits(allowResponses, clock);
  }

  /** Returns undefined if nothing is restricted. */
  static for({ access, user }: Login, router: Router, clock: Clock): Restrictions | undefined {
    const permissions = user?.nats;
    const isOpen =
      permissions === undefined ||
      (!permissions.publish && !permissions.subscribe && !permissions.allowResponses);
    if (access === fullAccess && isOpen) return undefined;
    return new Restrictions(access, permissions, router, clock);
  }

  /** Whether the client may publish the frame's message; sends -ERR if not. */
  publishes(session: Session, frame: Frame): boolean {
    // The same control line as before, with no other in between.
    if (frame.repeated && this.#wasAllowed) return true;
    const { buffer, subjectStart, subjectEnd } = frame;
    if (buffer[subjectStart] === dollar) {
      if (this.#acks?.covers(buffer, subjectStart, subjectEnd)) {
        this.#route = undefined;
        return (this.#wasAllowed = true);
      }
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
   * Checks requests to JetStream, and acks. JetStream itself checks their topics. The subjects of acks never
   * repeat.
   */
  #requests(session: Session, subject: string): boolean {
    this.#route = undefined;
    const rules = this.#publish;
    const isAck = subject.startsWith(ackPrefix);
    this.#wasAllowed = rules === undefined || (isAck ? rules.judge(subject) : rules.allows(subject));
    if (isAck && this.#wasAllowed) this.#acks?.add(subject);
    if (this.#wasAllowed || this.#responses?.take(subject)) return true;
    session.deny('Publish to', subject);
    return false;
  }

  /** Whether the client may publish to the subject in a header of the message; sends -ERR if not. */
  publishesTo(session: Session, subject: string): boolean {
    if (this.#publish === undefined || this.#publish.allows(subject)) return true;
    session.deny('Publish to', subject);
    return false;
  }

  /** Whether the client may subscribe; sends -ERR if not. */
  subscribes(session: Session, pattern: string, queue: string | undefined): boolean {
    if (this.maySubscribe(pattern, queue)) return true;
    session.deny('Subscription to', pattern, queue);
    return false;
  }

  maySubscribe(pattern: string, queue: string | undefined): boolean {
    if (this.#subscribe !== undefined && !this.#subscribe.allows(pattern, queue)) return false;
    if (this.#isKeptFromInboxes && hearsInboxes(pattern) && pattern.startsWith(inbox)) return false;
    // The pattern is one subject of a topic that the client may not consume: no message would ever come.
    const topic = this.#router.topicOf(pattern);
    return topic === undefined || this.access.mayConsume(topic.name);
  }

  /** The filter for the messages of a subscription; undefined if it may have all of them. */
  filterOf(pattern: string): DeliveryFilter | undefined {
    const denies = this.#subscribe?.deniesPartOf(pattern) ? this.#subscribe : undefined;
    const access = this.access.consumesAll ? undefined : this.access;
    if (!denies && !access) return undefined;
    return new Filter(this.#router, access, denies, this.#isKeptFromInboxes && hearsInboxes(pattern));
  }

  /**
   * Whether the client must not read the inboxes of others. If it may not consume everything, it could read
   * the rest there. If it has permissions for subscriptions, those decide instead.
   */
  get #isKeptFromInboxes(): boolean {
    return this.#subscribe === undefined && !this.access.consumesAll;
  }

  /** Called when the client has received a message that asks for an answer. */
  asked(message: LiveMessage): void {
    const { replyBuffer, replyStart, replyEnd } = message;
    this.#responses?.add(textOf(replyBuffer, replyStart, replyEnd));
  }

  get tracksReplies(): boolean {
    return this.#responses !== undefined;
  }
}

/**
 * The filter of a subscription. It checks the subject that a message shows. A message that a consumer
 * delivers shows the subject that it was stored under, so messages of a topic need `consume` whichever way
 * they come.
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
    // The siblings of an open route have the same topic, but different subjects.
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

/** Whether a pattern matches the inboxes of more than one client. */
function hearsInboxes(pattern: string): boolean {
  const [first, second] = subjectTokens(pattern);
  if (first === '>' || first === '*') return true;
  return first === inbox && (second === '*' || second === '>');
}
