import { LiveMessage, type LiveSubscription, type Route, type Topic } from '../../broker/index.ts';
import { isPublishSubject, rfc3339 } from '../../util/index.ts';
import { HeaderScanner } from '../../wire/nats/index.ts';
import { globalAccount } from './info.ts';
import type { Session } from './session.ts';
import { Subscription } from './subscription.ts';
import { serverOf } from './user-info.ts';

const destinationName = Buffer.from('Nats-Trace-Dest', 'latin1');
const onlyName = Buffer.from('Nats-Trace-Only', 'latin1');
const onlyValues = ['1', 'true', 'on'];

/** The kind of a connection in trace events: a client. */
const clientKind = 0;

const scanner = new HeaderScanner();

/**
 * A message trace is sent to the subject in the header `Nats-Trace-Dest`. It shows the way of a message:
 * where it came in (`in`), which subscriptions it went to (`eg`), and which stream took or refused it (`js`).
 * With `Nats-Trace-Only` the message is not delivered, and the trace shows where it would have gone.
 */
export class MessageTrace {
  readonly only: boolean;
  readonly #session: Session;
  readonly #message: LiveMessage;
  readonly #destination: string;
  readonly #events: object[] = [];
  /** Subscriptions that may get the message, with the number of messages that each had before. */
  readonly #before = new Map<LiveSubscription, number>();

  constructor(session: Session, message: LiveMessage, destination: string, only: boolean) {
    this.#session = session;
    this.#message = message;
    this.#destination = destination;
    this.only = only;
    const { id: cid, clientName: name } = session;
    const who = { kind: clientKind, cid, ...(name === '' ? {} : { name }) };
    this.#add('in', { ...who, acc: globalAccount, subj: message.subject });
  }

  /** To be called before the message is delivered. */
  begin(route: Route): void {
    for (const subscription of candidates(route)) this.#before.set(subscription, deliveredTo(subscription));
  }

  /**
   * To be called after the delivery. Records the subscriptions that have one message more. A message that is
   * only traced counts for every subscription outside queues and for one member of each queue.
   */
  delivered(route: Route): void {
    if (this.only) {
      const first = route.queues.flatMap((members) => members.slice(0, 1));
      for (const subscription of [...route.subscriptions, ...first]) this.#egress(subscription);
      return;
    }
    for (const [subscription, before] of this.#before)
      if (deliveredTo(subscription) > before) this.#egress(subscription);
  }

  /** Records the stream that captures the subject. */
  stored(topic: Topic, refusal: string | undefined): void {
    const stream = topic.name;
    this.#add(
      'js',
      refusal === undefined ? { stream, subject: this.#message.subject } : { stream, error: refusal },
    );
  }

  send(): void {
    const { host } = this.#session;
    const event = {
      server: serverOf(host),
      request: { header: headerMap(this.#message), msgsize: sizeOf(this.#message) },
      events: this.#events,
    };
    const trace = new LiveMessage();
    const subject = Buffer.from(this.#destination);
    const value = Buffer.from(JSON.stringify(event));
    trace.setSubject(subject, 0, subject.length);
    trace.setValue(value, 0, value.length);
    host.router.publish(trace);
  }

  #egress({ subscriber, pattern, queue }: LiveSubscription): void {
    if (!(subscriber instanceof Subscription)) return;
    const { id: cid, clientName: name } = subscriber.session;
    this.#add('eg', {
      kind: clientKind,
      cid,
      ...(name === '' ? {} : { name }),
      sub: pattern,
      ...(queue === undefined ? {} : { queue }),
    });
  }

  #add(type: string, members: object): void {
    this.#events.push({ type, ts: rfc3339(this.#session.host.clock.now()), ...members });
  }
}

/**
 * The trace that a message asks for; undefined if it asks for none. 'nowhere': the message is dropped,
 * because it has `Nats-Trace-Only` without a valid subject for the trace, or the client may not publish to
 * that subject.
 */
export function traceOf(session: Session, message: LiveMessage): MessageTrace | 'nowhere' | undefined {
  const { headerBuffer, headerStart, headerEnd } = message;
  let destination = '';
  let only = false;
  scanner.reset(headerBuffer, headerStart, headerEnd);
  while (scanner.next()) {
    if (destination === '' && scanner.named(destinationName)) destination = scanner.value;
    else if (scanner.named(onlyName)) only = onlyValues.includes(scanner.value.toLowerCase());
  }
  if (destination === '') return undefined;
  if (!isPublishSubject(destination)) return only ? 'nowhere' : undefined;
  if (session.restrictions && !session.restrictions.publishesTo(session, destination)) return 'nowhere';
  return new MessageTrace(session, message, destination, only);
}

function candidates({ subscriptions, queues }: Route): readonly LiveSubscription[] {
  return [...subscriptions, ...queues.flat()];
}

function deliveredTo({ subscriber }: LiveSubscription): number {
  return subscriber instanceof Subscription ? subscriber.delivered : 0;
}

function headerMap(message: LiveMessage): { readonly [name: string]: readonly string[] } {
  const map: { [name: string]: string[] } = {};
  for (const { name, value } of message.decodeHeaders())
    (map[name] ??= []).push(Buffer.from(value ?? []).toString());
  return map;
}

/** Bytes of headers and payload. */
function sizeOf({ headerStart, headerEnd, valueStart, valueEnd }: LiveMessage): number {
  return headerEnd - headerStart + valueEnd - valueStart;
}
