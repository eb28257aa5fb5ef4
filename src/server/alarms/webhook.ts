import { createHmac } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Queue, type Clock, type Timer } from '../../util/index.ts';
import type { AlarmChange } from './alarm.ts';
import { noticeOf, type Notice, type NoticeCounts } from './notice.ts';
import type { WebhookOptions } from './webhook-settings.ts';

const backoffMs = 1000;
const backoffMsMax = 60_000;
/** Statuses by which a receiver asks for another attempt, besides those from 500 on. */
const retryable: ReadonlySet<number> = new Set([408, 425, 429]);

interface WebhookHost {
  readonly clock: Clock;
  /** The identity of the broker. */
  readonly broker: string;
  /** A notice was given up, or dropped. Called at most once until one is delivered. */
  readonly onTrouble: (reason: string, url: string) => void;
}

/**
 * A webhook is told of changes of alarms by HTTP POST, one after the other, each once: until the receiver
 * answers with 2xx it is tried again, with growing waits. Redirects are not followed.
 */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #url: URL;
  readonly #host: WebhookHost;
  readonly #waiting = new Queue<{ readonly notice: Notice; readonly atMs: number }>();
  readonly counts: NoticeCounts = { delivered: 0, failed: 0, dropped: 0 };
  #isBusy = false;
  #isStopped = false;
  #isInTrouble = false;
  #request: ClientRequest | undefined = undefined;
  #timer: Timer | undefined = undefined;

  constructor(options: WebhookOptions, host: WebhookHost) {
    this.#options = options;
    this.#url = new URL(options.url);
    this.#host = host;
  }

  /** The address without its query, which may hold a secret. */
  get shownUrl(): string {
    return this.#url.origin + this.#url.pathname;
  }

  /** Takes a change; those that are of no interest to this webhook are ignored. */
  tell(change: AlarmChange): void {
    if (this.#isStopped || !this.#wants(change)) return;
    if (this.#waiting.size >= this.#options.queueMax) {
      this.#waiting.shift();
      this.counts.dropped++;
      this.#trouble(`more than ${this.#options.queueMax} notices wait`);
    }
    this.#waiting.push({ notice: noticeOf(change, this.#host.broker), atMs: this.#host.clock.monotonic() });
    this.#next();
  }

  /** Ends the attempt under way. What waits is lost. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#request?.destroy();
  }

  #wants({ change, alarm }: AlarmChange): boolean {
    const { level, topic } = this.#options;
    if (topic && (alarm.topic === null || !topic.matches(alarm.topic))) return false;
    // That a critical alarm is only a warning now is worth telling to those who heard of it.
    return level === 'warning' || alarm.level === 'critical' || change === 'eased';
  }

  #next(): void {
    const first = this.#isBusy || this.#isStopped ? undefined : this.#waiting.shift();
    if (!first) return;
    this.#isBusy = true;
    this.#attempt(first.notice, first.atMs, 0);
  }

  #attempt(notice: Notice, sinceMs: number, attempts: number): void {
    this.#post(notice)
      .then((status) => {
        if (status >= 200 && status < 300) return this.#done('delivered');
        const problem = `the answer was ${status}`;
        if (status >= 500 || retryable.has(status)) this.#again(notice, sinceMs, attempts, problem);
        else this.#done('failed', problem);
      })
      .catch((error: unknown) => {
        const { code } = error as { readonly code?: unknown };
        const problem =
          typeof code === 'string' ? code : error instanceof Error ? error.message : String(error);
        this.#again(notice, sinceMs, attempts, problem);
      });
  }

  #again(notice: Notice, sinceMs: number, attempts: number, problem: string): void {
    if (this.#isStopped) return;
    const { clock } = this.#host;
    const waitMs = Math.min(backoffMsMax, backoffMs * 2 ** attempts);
    if (clock.monotonic() + waitMs - sinceMs > this.#options.giveUpMs) return this.#done('failed', problem);
    this.#timer = clock.setTimer(waitMs, () => this.#attempt(notice, sinceMs, attempts + 1));
  }

  #done(outcome: 'delivered' | 'failed', problem = ''): void {
    this.counts[outcome]++;
    if (outcome === 'delivered') this.#isInTrouble = false;
    else this.#trouble(problem);
    this.#isBusy = false;
    this.#next();
  }

  #trouble(reason: string): void {
    if (this.#isInTrouble || this.#isStopped) return;
    this.#isInTrouble = true;
    this.#host.onTrouble(reason, this.shownUrl);
  }

  /** Resolves to the status of the answer, whose body is not read. */
  async #post({ id, body }: Notice): Promise<number> {
    const { secret, timeoutMs } = this.#options;
    const { request } =
      this.#url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    const timestamp = String(Math.floor(this.#host.clock.now() / 1000));
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'pillarbox',
      'pillarbox-id': id,
      'pillarbox-timestamp': timestamp,
      ...(secret === undefined ? {} : { 'pillarbox-signature': signatureOf(secret, timestamp, body) }),
    };
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(new Error('stopped'));
      const signal = AbortSignal.timeout(timeoutMs);
      const outgoing = request(this.#url, { method: 'POST', headers, signal, agent: false });
      this.#request = outgoing;
      outgoing.on('error', reject);
      outgoing.on('response', (response: IncomingMessage) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      outgoing.end(body);
    });
  }
}

/** `v1=` and the HMAC-SHA256 in hex of the timestamp, a dot and the body. The timestamp is of the attempt. */
function signatureOf(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}
