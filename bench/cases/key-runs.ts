import { recordOf, type GroupOptions } from '../../src/broker/index.ts';
import type { Case, Sample, Workbench } from './case.ts';
import { drainPerSecond, publishAll, usedMb, withBroker } from './in-process.ts';

const payloadBytes = 128;
const keys = 100_000;
const runLength = 10;
/** Messages of one key that follow each other. */
const inARow = 3;
const messages = keys * inARow;

function measure(bench: Workbench, options: Partial<GroupOptions>): Promise<Sample> {
  return withBroker(bench, async (broker) => {
    const topic = await broker.createTopic({ name: 'bench', retention: 'queue' });
    const group = await topic.createGroup({ name: 'g', ackWaitMs: 3_600_000, ...options });
    const records = Array.from({ length: keys }, (_, key) =>
      recordOf({ key: `key-${key}`, value: Buffer.alloc(payloadBytes, 1) }),
    );
    await publishAll(topic, messages, (at) => records[Math.floor(at / inARow)]!);
    const beforeMb = usedMb();
    const perSecond = await drainPerSecond(group, messages);
    return { perSecond, addedMb: usedMb() - beforeMb };
  });
}

const metrics = [{ key: 'perSecond', label: 'delivered and acked', unit: 'msg/s' }] as const;

export const keyRunsCase: Case = {
  id: 'key-runs',
  title: 'Order per key',
  about: `${messages.toLocaleString('en')} messages of ${payloadBytes} B with ${keys.toLocaleString('en')} keys, ${inARow} of a key in a row, in a queue, in the process of the benchmark: one consumer gets and acks all of them.`,
  rows: () => {
    const row = (label: string, options: Partial<GroupOptions>) => ({
      label,
      contenders: ['pillarbox' as const],
      metrics,
      roundsMax: 1,
      hasWarmUp: false,
      measure: (_: unknown, bench: Workbench) => measure(bench, options),
    });
    return [
      row('without order per key', {}),
      row('one message of a key at a time', { ordering: 'key' }),
      row(`runs of up to ${runLength}`, { ordering: 'key', keyRunMax: runLength }),
      row(`${runLength} of a key at once, in no order`, { ordering: 'key', keyConcurrency: runLength }),
    ];
  },
};
