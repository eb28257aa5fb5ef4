import type { LiveMessage } from './live-message.ts';
import type { Route } from './route.ts';
import type { Router } from './router.ts';
import type { Topic } from '../topics/topic.ts';

/** Where a message went that was published to a subject. */
export interface LivePublished {
  /** Live subscribers that took it. */
  readonly receivers: number;
  /** The topic that captures the subject and was told to store it. */
  readonly topic: Topic | undefined;
}

/**
 * Publishes a message to a subject, in the one order that all protocols keep: the route is looked up once,
 * live subscribers hear the message, and then the topic that captures the subject stores it.
 *
 * Live delivery is at most once and waits for nothing. So a topic that refuses the message takes nothing back
 * from subscribers, and a subscriber that publishes in answer, inside `receive`, is stored before the message
 * it answers. Congestion is the publisher's matter: one that can be held is held after the store, until the
 * broker is not congested any more (NATS connections), one that waits for its answer waits (admin HTTP), and
 * one that does neither lets the store wait (`live.publish` of the embedded API).
 *
 * A message that is stored under the name of a topic (Kafka's produce, `topic.publish`) does not pass here:
 * live subscribers do not hear it. See docs/decisions/0016.
 *
 * NATS's PUB does the same by hand in `protocols/nats/publish.ts`, where the route is kept from message to
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
