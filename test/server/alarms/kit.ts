import { Hall, Task } from '../../../src/protocols/index.ts';
import type { Group, Topic } from '../../../src/broker/index.ts';
import { AlarmPolicy, type AlarmSettings } from '../../../src/server/alarms/alarm-settings.ts';
import type { Alarm, AlarmChange, RuleName } from '../../../src/server/alarms/alarm.ts';
import type { ServerFigures } from '../../../src/server/alarms/server-readings.ts';
import { AlarmWatch, type WatchHost } from '../../../src/server/alarms/watch.ts';
import { SyncTimes } from '../../../src/server/sync-times.ts';
import { TestBroker } from '../../broker/kit.ts';

/** A server with room for everything. */
export const idle: ServerFigures = {
  diskFreeBytes: 1000,
  diskMarkBytes: 10,
  diskTimeToFullMs: undefined,
  memoryBytes: 10,
  memoryMarkBytes: 1000,
  heapBytes: 10,
  heapMarkBytes: 1000,
  dataDirectory: 'data',
};

/** A watch over a broker in memory. Time passes only in {@link pass}, in steps of an evaluation. */
export class WatchKit {
  readonly t: TestBroker;
  readonly watch: AlarmWatch;
  readonly changes: AlarmChange[] = [];
  readonly syncTimes: SyncTimes = new SyncTimes();
  figures: ServerFigures = idle;
  intervalMs = 5000;

  constructor(t: TestBroker, settings: readonly AlarmSettings[] = [], host: Partial<WatchHost> = {}) {
    this.t = t;
    const task = new Task(new Hall(t.clock).turns, () => false);
    this.watch = new AlarmWatch({
      broker: t.broker,
      policy: new AlarmPolicy(settings),
      intervalMs: this.intervalMs,
      alarmsMax: 1000,
      syncTimes: this.syncTimes,
      figures: () => this.figures,
      rest: () => task.rest(),
      onError: (error) => {
        throw error;
      },
      ...host,
    });
    this.watch.subscribe((change) => this.changes.push(change));
  }

  static async open(
    settings: readonly AlarmSettings[] = [],
    host: Partial<WatchHost> = {},
  ): Promise<WatchKit> {
    return new WatchKit(await TestBroker.open(), settings, host);
  }

  /** Lets time pass, with an evaluation at each step, after what `each` does there. */
  async pass(ms: number, each: () => unknown = () => {}): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= this.intervalMs) {
      await each();
      this.t.clock.advance(Math.min(leftMs, this.intervalMs));
      await this.watch.evaluate();
    }
  }

  alarm(rule: RuleName): Alarm | undefined {
    return this.watch.list().find((alarm) => alarm.rule === rule);
  }

  /** The changes so far, as `fired oldest-age warning`; they are forgotten. */
  told(): string[] {
    return this.changes.splice(0).map(({ change, alarm }) => `${change} ${alarm.rule} ${alarm.level}`);
  }

  async close(): Promise<void> {
    this.watch.stop();
    await this.t.broker.close();
  }
}

export async function publish(topic: Topic, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => topic.send({ value: 'x' })));
}

/** A group whose messages nobody takes. */
export async function queueOf(
  t: TestBroker,
  name: string,
  group = 'g',
): Promise<{ topic: Topic; group: Group }> {
  const topic = await t.broker.createTopic({ name, retention: 'queue' });
  return { topic, group: await topic.createGroup({ name: group }) };
}
