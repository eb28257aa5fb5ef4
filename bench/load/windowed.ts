import { nowMs } from './clock.ts';
import type { Count } from './job.ts';
import { Latencies } from './latencies.ts';

export interface WindowedLoad {
  /** So many messages are unanswered at most. */
  readonly window: number;
  readonly seconds: number;
  /** No more than so many are sent. */
  readonly messages: number;
  readonly send: (count: number) => void;
  /** Takes over the function to call with the number of answers that came. */
  readonly onAnswers: (answered: (count: number) => void) => void;
}

/** Sends as many messages as the window allows: for every answer one more, until the time is over. */
export function runWindowed({ window, seconds, messages, send, onAnswers }: WindowedLoad): Promise<Count> {
  const latencies = window === 1 ? new Latencies() : undefined;
  return new Promise((resolve) => {
    const startMs = nowMs();
    const deadlineMs = startMs + seconds * 1e3;
    let sent = Math.min(window, messages);
    let answered = 0;
    let sentMs = startMs;
    onAnswers((count) => {
      const endMs = nowMs();
      answered += count;
      latencies?.add((endMs - sentMs) * 1e3);
      const more = endMs < deadlineMs ? Math.min(count, messages - sent) : 0;
      if (more > 0) {
        sent += more;
        sentMs = endMs;
        send(more);
      } else if (answered >= sent) {
        const result = { messages: answered, startMs, endMs };
        resolve(latencies === undefined ? result : { ...result, latency: latencies.summary() });
      }
    });
    send(sent);
  });
}
