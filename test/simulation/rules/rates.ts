import type { Examination } from '../examination.ts';
import type { PublishKnown, TopicKnown } from '../facts.ts';

/* Rates of topics. */

/**
 * In any time, no more messages are taken than the rate allows: those that were asked for and answered in it
 * were taken in it.
 */
export function withinRate(exam: Examination, topic: TopicKnown, last: PublishKnown): void {
  const rates = topic.configs.map(({ publishRate }) => publishRate);
  if (rates.some((rate) => rate === undefined)) return;
  const perSecond = Math.max(...rates.map((rate) => rate!.perSecond));
  const burst = Math.max(...rates.map((rate) => rate!.burst));
  let taken = 0;
  for (let at = topic.publishes.length - 1; at >= 0; at--) {
    const { answer, run, askedAt, answeredWallMs, toAll } = topic.publishes[at]!;
    if (run !== last.run) break;
    if (answer !== 'stored' || toAll || answeredWallMs === Infinity) continue;
    taken++;
    const allowed = burst + ((exam.ms - exam.events[askedAt]!.ms) / 1000) * perSecond;
    if (taken > allowed + 1e-6)
      return exam.broken(
        'the rate of a topic is kept',
        `${topic.key}: ${taken} messages, ${allowed.toFixed(2)} are allowed`,
      );
  }
}
