import type { PublishListener, Record, Topic } from '../../broker/index.ts';
import { oneAnswer, publishTo, type Publication } from './publication.ts';
import { copyOf } from './record-copy.ts';
import type { SessionHost } from './session-host.ts';

/** The number of queues that a publication goes to. */
export function widthOf(publication: Publication): number {
  return publication.reduce((width, { topics }) => width + topics.length, 0);
}

/**
 * Publishes one message to more queues than may be in one commit: to so many at a time, with a turn of the
 * event loop in between. The listener is told once, when all of them have it, or when one of them has refused
 * it; the others get it all the same, as in RabbitMQ. Resolves when the last queue has decided.
 */
export async function publishWide(
  host: Pick<SessionHost, 'broker' | 'exchanges'>,
  publication: Publication,
  borrowed: Record,
  listener: PublishListener<number>,
  tag: number,
  queuesPerCommitMax: number,
): Promise<void> {
  const record = copyOf(borrowed);
  const { timestampMs } = record;
  const pieces = [...piecesOf(publication, queuesPerCommitMax)];
  const answer = oneAnswer(pieces.length, listener, tag);
  for (const [at, piece] of pieces.entries()) {
    if (at > 0) await new Promise<void>((resolve) => host.broker.clock.defer(resolve));
    record.timestampMs = timestampMs;
    publishTo(host, at === 0 ? piece : withoutDeleted(piece), record, answer, tag);
  }
}

/** The publication in pieces, each for at most so many queues. */
function* piecesOf(publication: Publication, queuesMax: number): Iterable<Publication> {
  for (const { topics, options } of publication)
    for (let at = 0; at < topics.length; at += queuesMax)
      yield [{ topics: topics.slice(at, at + queuesMax), options }];
}

/** Queues that were deleted meanwhile refuse nothing. */
function withoutDeleted(publication: Publication): Publication {
  return publication.map(({ topics, options }) => ({
    topics: topics.filter((topic: Topic) => !topic.isDeleted),
    options,
  }));
}
