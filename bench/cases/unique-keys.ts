import { performance } from 'node:perf_hooks';
import { recordOf, type PublishOptions } from '../../src/broker/index.ts';
import type { Case, Sample, Workbench } from './case.ts';
import { publishAll, usedMb, withBroker } from './in-process.ts';

const payloadBytes = 128;
const keys = 100_000;

/** Publishes a message of each key, and another one of each while the first ones wait. */
function measure(bench: Workbench, mode: 'replace' | 'ignore' | undefined): Promise<Sample> {
  return withBroker(bench, async (broker) => {
    const topic = await broker.createTopic({ name: 'bench', retention: 'queue' });
    await topic.createGroup({ name: 'g' });
    const record = recordOf({ value: Buffer.alloc(payloadBytes, 1) });
    const options: (PublishOptions | undefined)[] = Array.from({ length: keys }, (_, key) =>
      mode === undefined ? undefined : { unique: { key: `key-${key}`, mode } },
    );
    const publish = async (): Promise<number> => {
      const startMs = performance.now();
      await publishAll(
        topic,
        keys,
        () => record,
        (at) => options[at],
      );
      return (keys / (performance.now() - startMs)) * 1e3;
    };
    const beforeMb = usedMb();
    const firstPerSecond = await publish();
    const addedMb = usedMb() - beforeMb;
    return { firstPerSecond, addedMb, secondPerSecond: await publish() };
  });
}

const metrics = [
  { key: 'firstPerSecond', label: 'the first of each key', unit: 'msg/s' },
  { key: 'addedMb', label: 'added by these', unit: 'MB' },
  { key: 'secondPerSecond', label: 'the second of each key', unit: 'msg/s' },
] as const;

export const uniqueKeysCase: Case = {
  id: 'unique-keys',
  title: 'Unique keys of messages that wait',
  about: `Messages of ${payloadBytes} B with ${keys.toLocaleString('en')} unique keys in a queue that nobody reads, in the process of the benchmark; then a second one of each key, which meets the first. Added: heap and buffers after the first ones.`,
  rows: () => {
    const row = (label: string, mode: 'replace' | 'ignore' | undefined) => ({
      label,
      contenders: ['pillarbox' as const],
      metrics,
      roundsMax: 1,
      hasWarmUp: false,
      measure: (_: unknown, bench: Workbench) => measure(bench, mode),
    });
    return [
      row('without unique keys', undefined),
      row('the second replaces the first', 'replace'),
      row('the second is ignored', 'ignore'),
    ];
  },
};
