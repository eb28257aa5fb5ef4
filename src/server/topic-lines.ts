import type { Broker } from '../broker/index.ts';
import type { Log } from './log.ts';

/** The most lines in a minute; clients may make topics as fast as they publish. */
const linesMax = 100;
const minuteMs = 60_000;

/** Writes a log line for each topic that is made or deleted, and one for those that are too many. */
export function logTopics(broker: Broker, log: Log): void {
  let [sinceMs, lines] = [-minuteMs, 0];
  broker.events.subscribe((event) => {
    if (event.kind !== 'topic-created' && event.kind !== 'topic-deleted') return;
    const nowMs = broker.clock.monotonic();
    if (nowMs - sinceMs >= minuteMs) [sinceMs, lines] = [nowMs, 0];
    if (++lines > linesMax + 1) return;
    const { name: topic } = event.topic;
    if (lines > linesMax)
      log.info(`more than ${linesMax} topics came or went within a minute: the rest is not logged`);
    else log.info(event.kind === 'topic-created' ? 'a topic was created' : 'a topic was deleted', { topic });
  });
}
