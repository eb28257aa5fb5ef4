import type { Broker, Topic } from '../../src/broker/index.ts';
import { loadCronReader } from '../../src/util/index.ts';
import { cronLineOf } from './cron-times.ts';
import type { History } from './history.ts';
import { keyOf } from './keys.ts';
import type { LaterAction } from './later-script.ts';
import { contentOf, idOf } from './message.ts';
import type { SimulatedClock } from './simulated-clock.ts';

// Its first loading takes turns of the event loop, and no life is to differ from another by that.
await loadCronReader();

/** The services of the client for {@link Later}. */
export interface LaterHost {
  readonly history: History;
  readonly clock: SimulatedClock;
  /** Writes the outcome of an operation into the history. */
  await(promise: Promise<unknown>, of: number): void;
}

/** The part of the client that deals with delayed messages and schedules. */
export class Later {
  readonly #host: LaterHost;
  #broker!: Broker;
  /** Delayed messages by the names of their topics: their names, and the ids that the broker gave. */
  readonly #delayed = new Map<string, { readonly id: number; readonly delayedId: number }[]>();

  constructor(host: LaterHost) {
    this.#host = host;
  }

  connect(broker: Broker): void {
    this.#broker = broker;
  }

  /** The broker answered that a message is delayed. */
  noteDelayed(topic: string, id: number, delayedId: number): void {
    const list = this.#delayed.get(topic) ?? [];
    list.push({ id, delayedId });
    this.#delayed.set(topic, list);
  }

  perform(action: LaterAction): void {
    switch (action.kind) {
      case 'delayed':
        return this.#changeDelayed(action);
      case 'schedule': {
        const topic = this.#broker.topic(action.topic);
        return topic && this.#define(topic, action);
      }
      default:
        return this.#control(action);
    }
  }

  #changeDelayed({ topic, what, pick, count, delayMs }: Extract<LaterAction, { kind: 'delayed' }>): void {
    const { history, clock } = this.#host;
    const { delayed } = this.#broker;
    const list = this.#delayed.get(topic) ?? [];
    for (const { id, delayedId } of list.slice(Math.floor(pick * list.length)).slice(0, count)) {
      const dueMs = clock.steady() + delayMs;
      const of = history.add({ kind: 'delayed-changed', id, what, ...(what === 'move' ? { dueMs } : {}) });
      if (what === 'move') this.#host.await(delayed.move([delayedId], clock.now() + delayMs), of);
      else if (what === 'cancel') this.#host.await(delayed.cancel([delayedId]), of);
      else this.#host.await(delayed.publishNow([delayedId]), of);
    }
  }

  #define(topic: Topic, action: Extract<LaterAction, { kind: 'schedule' }>): void {
    const { name, messages, everyMs, cron, count, jitterMs, missed } = action;
    const [plan] = messages;
    if (!plan) return;
    const endMs = action.endMs === undefined ? undefined : this.#host.clock.now() + action.endMs;
    const limits = { ...(count === undefined ? {} : { count }), ...(endMs === undefined ? {} : { endMs }) };
    const of = this.#host.history.add({
      kind: 'publish',
      topic: keyOf(topic),
      plan,
      schedule: {
        name,
        everyMs,
        ...(cron === undefined ? {} : { cron }),
        missed,
        ...(jitterMs === undefined ? {} : { jitterMs }),
        ...limits,
      },
    });
    const { key } = plan;
    const message = { value: contentOf(plan).value.toString('latin1'), ...(key === null ? {} : { key }) };
    const times = {
      ...(cron === undefined ? { everyMs } : cronOf(cron)),
      ...limits,
      ...(jitterMs === undefined ? {} : { jitterMs }),
    };
    const defined = this.#broker.schedules.define({ name, topic: topic.name, message, missed, ...times });
    this.#host.await(
      defined.then(() => undefined),
      of,
    );
  }

  #control({ name, what }: Extract<LaterAction, { kind: 'control-schedule' }>): void {
    const { schedules } = this.#broker;
    const schedule = schedules.get(name);
    if (!schedule) return;
    const id = idOf(Buffer.from(schedule.config.message.value ?? ''));
    const of = this.#host.history.add({ kind: 'schedule-controlled', id, what });
    const done: Promise<unknown> = schedules[what](name);
    this.#host.await(
      done.then(() => undefined),
      of,
    );
  }
}

function cronOf(line: string): { readonly cron: string; readonly timeZone?: string } {
  const { cron, timeZone } = cronLineOf(line);
  return timeZone === undefined ? { cron } : { cron, timeZone };
}
