import { isPublishSubject, isSubscribeSubject } from '../../util/index.ts';
import {
  decodeConnect,
  WireError,
  type ClientVerb,
  type Frame,
  type Handlers,
} from '../../wire/nats/index.ts';
import { ClosingError, ErrorText } from './errors.ts';
import { publish } from './publish.ts';
import type { Session } from './session.ts';

/** The handlers of the verbs that clients send. */
export const handlers: Handlers<ClientVerb, Session> = {
  /** `CONNECT {json}`; a client may send it again. */
  CONNECT(session: Session, frame: Frame): void {
    session.connect(decodeConnect(frame.text()));
  },

  /** `PUB subject [reply] #bytes` */
  PUB(session: Session, frame: Frame): void {
    if (!session.authorized) session.enterWithoutConnect();
    if (session.restrictions !== undefined && !session.restrictions.publishes(session, frame)) return;
    if (session.verbose) session.sendOk();
    if (session.pedantic) checkPublishSubject(session, frame);
    publish(session, frame);
  },

  /** `HPUB subject [reply] #header #total` */
  HPUB(session: Session, frame: Frame): void {
    if (!session.authorized) session.enterWithoutConnect();
    if (!session.headers) throw new ClosingError(ErrorText.headersNotSupported);
    if (session.restrictions !== undefined && !session.restrictions.publishes(session, frame)) return;
    if (session.verbose) session.sendOk();
    if (session.pedantic) checkPublishSubject(session, frame);
    publish(session, frame);
  },

  /** `SUB subject [queue] sid`; a sid in use keeps its first subject. */
  SUB(session: Session, frame: Frame): void {
    if (!session.authorized) session.enterWithoutConnect();
    const pattern = frame.subject();
    // Bytes that are not UTF-8 cannot be told apart as text, so such subjects have no subscribers.
    if (!isSubscribeSubject(pattern) || pattern.includes('\uFFFD')) {
      session.complain(ErrorText.invalidSubject);
      return;
    }
    if (
      session.restrictions !== undefined &&
      !session.restrictions.subscribes(session, pattern, frame.queue())
    )
      return;
    const sid = frame.sid();
    if (!session.subscriptions.has(sid)) {
      const { limits, router } = session.host;
      if (session.subscriptions.size >= limits.subscriptionsMax || router.isFull) {
        session.complain(ErrorText.subscriptionsExceeded);
        return;
      }
      session.add(pattern, frame.queue(), sid);
    }
    if (session.verbose) session.sendOk();
  },

  /** `UNSUB sid [max]`: at once, or after this many messages since SUB. */
  UNSUB(session: Session, frame: Frame): void {
    if (!session.authorized) session.enterWithoutConnect();
    const subscription = session.subscriptions.get(frame.sid());
    if (subscription) {
      subscription.deliveredMax = frame.maxMessages;
      if (subscription.delivered >= frame.maxMessages) session.remove(subscription);
    }
    if (session.verbose) session.sendOk();
  },

  PING(session: Session): void {
    if (!session.authorized) session.enterWithoutConnect();
    session.sendPong();
    session.sendConnectInfo();
  },

  PONG(session: Session): void {
    session.pingsOut = 0;
  },

  INFO(): void {
    // sent by servers, tolerated from clients
  },

  '+OK'(): void {
    // nothing to do
  },

  /** Closes the connection: a client that reports an error cannot go on. */
  '-ERR'(): void {
    throw new WireError('bad-arguments', 'The client reported an error.');
  },
};

/** Complains about a wrong subject; it is published nevertheless, as in nats-server. */
function checkPublishSubject(session: Session, frame: Frame): void {
  if (!isPublishSubject(frame.subject())) session.complain(ErrorText.invalidPublishSubject);
}
