import type { LiveMessage } from './live-message.ts';
import type { Route } from './route.ts';
import type { Router } from './router.ts';
import type { Topic } from '../topics/topic.ts';

/** The receivers of a message that was published to a subject. */
export interface LivePublished {
  /** The number of live subscribers that took it. */
  readonly receivers: number;
  /** The topic that captures the subject and was told to store it. */
  readonly topic: Topic | undefined;
}

/**
 * Publishes a message to a subject, in the same order for all protocols. The route is looked up once, live
 * subscribers get the message, and then the topic that captures the subject stores it.
 *
 * Live delivery is at most once and waits for nothing. If the topic refuses the message, subscribers have it
 * all the same. If a subscriber publishes an answer inside `receive`, the answer is stored before the
 * message. On congestion a publisher that can be held is held after the store, until the broker is no longer
 * congested (NATS connections). One that waits for its answer waits (admin HTTP). One that does neither lets
 * the store wait (`live.publish` of the embedded API).
 *
 * Messages that are stored by the name of a topic (Kafka's produce, `topic.publish`) do not go this way, and
 * live subscribers do not get them. See docs/decisions/0016.
 *
 * NATS's PUB does the same on its own in `protocols/nats/publish.ts`, where the route is kept from message to
 * message.
 */
export function publishLive(
  router: Router,
  message: LiveMessage,
  store: (topic: Topic) => void,
  route: Route = router.match(message.subjectBuffer, message.subjectStart, message.subjectEnd),
): LivePublished {
  const receivers = router.deliver(route, message);
  const { topic } = route;
  if (topic !== undefined) store(topic);
  return { receivers, topic };
}
