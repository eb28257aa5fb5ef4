import type { SpyEvent } from './event.ts';

const messagesMax = 20;
const valueLengthMax = 80;

/** What was seen of a topic, a line for each message, for the error of a wait that was in vain. */
export function report(topic: string, events: readonly SpyEvent[], all: readonly SpyEvent[]): string {
  const byMessage = new Map<string, SpyEvent[]>();
  for (const event of events) {
    const { id } = event.message;
    byMessage.set(id, [...(byMessage.get(id) ?? []), event]);
  }
  if (byMessage.size === 0) {
    const topics = [...new Set(all.map(({ message }) => message.topic))];
    const others = topics.length === 0 ? 'nor of any other' : `but of ${topics.join(', ')}`;
    return `Nothing was seen of topic "${topic}", ${others}.`;
  }
  const lines = [...byMessage.values()].slice(0, messagesMax).map((events) => {
    const { id, value } = events[0]!.message;
    const shown = (JSON.stringify(value) ?? String(value)).slice(0, valueLengthMax);
    return `  ${id} ${shown}: ${events.map(shownEvent).join(', ')}`;
  });
  const more = byMessage.size - lines.length;
  return [`Seen of topic "${topic}":`, ...lines, ...(more > 0 ? [`  and ${more} messages more`] : [])].join(
    '\n',
  );
}

function shownEvent({ fate, group, delivery, reason }: SpyEvent): string {
  if (fate === 'published') return fate;
  const why = reason === '' ? '' : `, because: ${reason}`;
  return `${fate} (${group}, delivery ${delivery}${why})`;
}
