import type { LiveMessage } from '../../../broker/index.ts';
import { fullAccess, type TopicAction } from '../../users/index.ts';
import type { NatsSession } from '../jetstream-door.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import { deadLetterMetadata } from './consumer-group.ts';
import type { Context } from './context.ts';
import { apiError } from './errors.ts';
import { coreName } from './names.ts';
import type { Stream } from './stream.ts';

/**
 * Checks an API request against the permissions by topic. Permissions by subject, as in nats-server, were
 * checked when the request was published. Throws an ApiError with code 403.
 */
export function checkAccess(
  { broker, streams }: Context,
  { access }: NatsSession,
  needs: TopicAction | 'any' | undefined,
  args: readonly string[],
): void {
  if (access === fullAccess || needs === undefined) return;
  const [name = ''] = args;
  const topic = streams.find(name)?.topic.name ?? coreName(name, broker.topics);
  const isAllowed = needs === 'any' ? access.maySee(topic) : access.may(needs, topic);
  if (!isAllowed) throw apiError('notAllowed', `${needs === 'any' ? 'see' : needs} topic "${topic}"`);
}

/**
 * The same for acks, and for requests without a JSON answer: the client gets a permissions violation, as for
 * subjects.
 */
export function mayConsume(session: NatsSession, { topic }: Stream, message: LiveMessage): boolean {
  if (session.access === fullAccess || session.access.mayConsume(topic.name)) return true;
  session.deny('Publish to', message.subject);
  return false;
}

/**
 * Checks the dead-letter topic in a consumer's metadata, because the consumer will publish to it. Throws an
 * ApiError with code 403.
 */
export function checkDeadLetterAccess({ access }: NatsSession, { metadata }: ConsumerConfig): void {
  const topic = metadata?.[deadLetterMetadata];
  if (topic === undefined || topic === 'none' || access.mayPublish(topic)) return;
  throw apiError('notAllowed', `publish to topic "${topic}"`);
}
