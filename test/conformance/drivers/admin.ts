import { askWell } from '../../server/admin/ask.ts';
import type { GroupLimits, GroupOptions, LaterCalls, TopicOptions } from '../delivery-driver.ts';

/**
 * The admin HTTP, for settings of the broker that a protocol has no words for, and for what an operator does.
 */
export class AdminCalls implements LaterCalls {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async changeTopic(topic: string, options: TopicOptions): Promise<void> {
    await askWell(this.#port, 'PATCH', `/api/v1/topics/${topic}`, options);
  }

  async createGroup(topic: string, name: string, options: GroupOptions): Promise<void> {
    const { ackDeadlineMs, activeSilenceMs, ...rest } = options;
    await askWell(this.#port, 'POST', `/api/v1/topics/${topic}/groups`, {
      name,
      ...rest,
      ...(ackDeadlineMs === undefined ? {} : { ackWaitMs: ackDeadlineMs }),
      ...(activeSilenceMs === undefined ? {} : { activeConsumers: 'single', activeSilenceMs }),
    });
  }

  async limitGroup(topic: string, group: string, limits: GroupLimits): Promise<void> {
    await askWell(this.#port, 'POST', `/api/v1/topics/${topic}/groups/${group}/limits`, limits);
  }

  async list(topic: string): ReturnType<LaterCalls['list']> {
    const { messages } = await askWell(this.#port, 'GET', `/api/v1/topics/${topic}/delayed`);
    return messages as { id: number; value: string }[];
  }

  move(topic: string, id: number, delayMs: number): Promise<number> {
    return this.#changeDelayed(topic, 'move', { ids: [id], delayMs });
  }

  cancel(topic: string, id: number): Promise<number> {
    return this.#changeDelayed(topic, 'cancel', { ids: [id] });
  }

  publishNow(topic: string, id: number): Promise<number> {
    return this.#changeDelayed(topic, 'publish', { ids: [id] });
  }

  async #changeDelayed(topic: string, verb: string, body: object): Promise<number> {
    const { count } = await askWell(this.#port, 'POST', `/api/v1/topics/${topic}/delayed/${verb}`, body);
    return count as number;
  }

  async schedule(name: string, topic: string, value: string, everyMs: number): Promise<void> {
    await askWell(this.#port, 'POST', '/api/v1/schedules', { name, topic, value, everyMs });
  }

  async unschedule(name: string): Promise<void> {
    await askWell(this.#port, 'DELETE', `/api/v1/schedules/${name}`);
  }
}
