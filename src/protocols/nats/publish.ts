import { LiveMessage, type Topic } from '../../broker/index.ts';
import { natsHeaders, type Frame } from '../../wire/nats/index.ts';
import { traceOf, type MessageTrace } from './message-trace.ts';
import type { Session } from './session.ts';
import { natsEncoding, Subscription } from './subscription.ts';
import { isUserInfoRequest, replyUserInfo } from './user-info.ts';

const dollar = 36;
const jetStreamPrefix = Buffer.from('$JS.', 'latin1');
const ackPrefix = Buffer.from('$JS.ACK.', 'latin1');

/**
 * Publishes the message of a PUB or HPUB: to live subscribers, and to the topic that captures its subject.
 */
export function publish(session: Session, frame: Frame): void {
  const { router, jetStream } = session.host;
  const { buffer, subjectStart, subjectEnd } = frame;
  const message = session.message;
  fill(message, frame, session);
  session.inMessages++;
  if (message.headerStart >= 0) {
    const trace = traceOf(session, message);
    if (trace !== undefined) return publishTraced(session, message, trace);
  }
  if (buffer[subjectStart] === dollar) {
    message.route = undefined;
    if (publishSystem(session, message)) return;
  }

  let route = session.route;
  // The same control line has the same subject. If nothing has changed since, no comparison is needed.
  if (!frame.repeated || route === undefined || !router.isCurrent(route)) {
    route = router.match(buffer, subjectStart, subjectEnd, route);
    if (route !== session.route) {
      session.route = route;
      session.lookedUp();
    }
  }
  // A store costs more than a comparison.
  if (message.route !== route) message.route = route;
  // The same order as in the broker's `publishLive`: live subscribers, then the topic. It is written out here
  // because the session keeps the route.
  const count = router.deliver(route, message);
  if (route.topic !== undefined) {
    jetStream?.publish(session, message, route.topic);
  } else if (count === 0 && message.replyStart >= 0 && session.noResponders) {
    sayNobody(session, message);
  }
}

/** Publishes a message that asks for a trace, or only traces it. */
function publishTraced(session: Session, message: LiveMessage, trace: MessageTrace | 'nowhere'): void {
  if (trace === 'nowhere') return;
  const { router, jetStream } = session.host;
  message.route = undefined;
  if (
    !trace.only &&
    message.subjectBuffer[message.subjectStart] === dollar &&
    publishSystem(session, message)
  )
    return trace.send();
  const route = router.match(message.subjectBuffer, message.subjectStart, message.subjectEnd);
  trace.begin(route);
  const count = trace.only ? 0 : router.deliver(route, message);
  trace.delivered(route);
  const { topic } = route;
  if (topic !== undefined && jetStream) {
    if (!mayStore(session, message, topic)) return;
    trace.stored(topic, jetStream.refusalOf?.(message, topic));
    if (!trace.only) jetStream.publish(session, message, topic);
  } else if (count === 0 && !trace.only && message.replyStart >= 0 && session.noResponders) {
    sayNobody(session, message);
  }
  trace.send();
}

function fill(message: LiveMessage, frame: Frame, session: Session): void {
  const { buffer, headerBytes, payloadStart, payloadEnd, commonStart } = frame;
  const valueStart = payloadStart + headerBytes;
  // Storing a young object in an old one costs more than the rest of this function, and many messages have
  // the same chunk.
  if (message.valueBuffer !== buffer) {
    message.subjectBuffer = buffer;
    message.replyBuffer = buffer;
    message.headerBuffer = buffer;
    message.valueBuffer = buffer;
  }
  message.origin = session;
  message.subjectStart = frame.subjectStart;
  message.subjectEnd = frame.subjectEnd;
  message.replyStart = frame.replyStart;
  message.replyEnd = frame.replyEnd;
  message.headerStart = headerBytes > 0 ? payloadStart : -1;
  message.headerEnd = valueStart;
  message.headerCodec = natsHeaders;
  message.valueStart = valueStart;
  message.valueEnd = payloadEnd;
  message.encoding = commonStart < 0 ? undefined : natsEncoding;
  message.encodedStart = commonStart;
  message.encodedEnd = payloadEnd + 2;
}

/**
 * Handles subjects that the server itself answers; false for all others. Subscribers of such a subject get
 * the message, too.
 */
function publishSystem(session: Session, message: LiveMessage): boolean {
  const { router, jetStream } = session.host;
  if (jetStream && beginsWith(message, jetStreamPrefix)) {
    // Ack subjects never repeat, so only a subscriber with a very wide pattern would get them.
    if (router.mayHear('$JS')) router.publish(message);
    const answered = beginsWith(message, ackPrefix)
      ? jetStream.ack(session, message)
      : jetStream.request(session, message);
    if (answered) return true;
    const route = router.matchSubject(message.subject);
    if (route.topic) {
      if (mayStore(session, message, route.topic)) jetStream.publish(session, message, route.topic);
    } else if (!route.hasSubscribers && message.replyStart >= 0 && session.noResponders) {
      sayNobody(session, message);
    }
    return true;
  }
  if (message.replyStart < 0 || !isUserInfoRequest(message)) return false;
  replyUserInfo(session, message);
  return true;
}

/**
 * Checks a publish to a topic under `$JS.`. Restrictions leave that to this function: most such subjects are
 * requests, which no topic captures.
 */
function mayStore(session: Session, message: LiveMessage, topic: Topic): boolean {
  if (session.access.mayPublish(topic.name)) return true;
  session.deny('Publish to', message.subject);
  return false;
}

/**
 * Tells the publisher that the subject has no subscribers, on its own subscription to the reply subject: one
 * copy, which does not count as a message of the subscription.
 */
function sayNobody(session: Session, message: LiveMessage): void {
  const { router } = session.host;
  const { replyBuffer, replyStart, replyEnd } = message;
  for (const { subscriber } of router.match(replyBuffer, replyStart, replyEnd).subscriptions) {
    if (!(subscriber instanceof Subscription) || subscriber.session !== session) continue;
    const block = Buffer.concat([
      noRespondersHead,
      message.subjectBuffer.subarray(message.subjectStart, message.subjectEnd),
      blockEnd,
    ]);
    const answer = new LiveMessage();
    answer.setSubject(replyBuffer, replyStart, replyEnd);
    answer.setHeaderBlock(natsHeaders, block, 0, block.length);
    subscriber.write(answer);
    return;
  }
}

const noRespondersHead = Buffer.from('NATS/1.0 503\r\nNats-Subject: ', 'latin1');
const blockEnd = Buffer.from('\r\n\r\n', 'latin1');

function beginsWith(message: LiveMessage, prefix: Buffer): boolean {
  const { subjectBuffer, subjectStart, subjectEnd } = message;
  if (subjectEnd - subjectStart <= prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (subjectBuffer[subjectStart + i] !== prefix[i]) return false;
  return true;
}
