import { performance } from 'node:perf_hooks';
import { recordOf } from '../../src/broker/index.ts';
import type { Case, Sample, Workbench } from './case.ts';
import { drainPerSecond, publishAll, withBroker } from './in-process.ts';

const payloadBytes = 128;
const limitPerSecond = 10_000;
const burst = 500;
/** After those of the burst. */
const limitedMessages = 20_000;
const unlimitedMessages = 300_000;

/** `perSecond`: the rate of the topic and of the group; undefined: neither has one. */
function measure(bench: Workbench, perSecond: number | undefined, messages: number): Promise<Sample> {
  return withBroker(bench, async (broker) => {
    const rate = perSecond === undefined ? undefined : { perSecond, burst };
    const atOnce = rate === undefined ? 0 : burst;
    const perSecondSince = (startMs: number): number => (messages / (performance.now() - startMs)) * 1e3;
    const topic = await broker.createTopic({
      name: 'bench',
      retention: 'queue',
      ...(rate === undefined ? {} : { publishRate: rate, overRate: 'wait' as const }),
    });
    const group = await topic.createGroup({ name: 'g', ...(rate === undefined ? {} : { rate }) });
    const record = recordOf({ value: Buffer.alloc(payloadBytes, 1) });
    const publishMs = performance.now();
    await publishAll(topic, messages + atOnce, () => record);
    const published = perSecondSince(publishMs);
    const drainMs = performance.now();
    await drainPerSecond(group, messages + atOnce);
    return { published, delivered: perSecondSince(drainMs) };
  });
}

export const ratesCase: Case = {
  id: 'rates',
  title: 'Rates of a topic and a group',
  about: `Messages of ${payloadBytes} B published to a queue and then consumed and acked, in the process of the benchmark. With the rate, ${limitedMessages.toLocaleString('en')} of them: ${limitPerSecond.toLocaleString('en')} a second, of the topic (publishes wait) and of the group, not counting a burst of ${burst}.`,
  rows: () => {
    const goals = [{ kind: 'most' as const, value: 1.01 * limitPerSecond }];
    const row = (label: string, perSecond: number | undefined, messages: number) => ({
      label,
      contenders: ['pillarbox' as const],
      metrics: [
        {
          key: 'published',
          unit: 'msg/s' as const,
          ...(perSecond === undefined ? {} : { goals }),
        },
        {
          key: 'delivered',
          label: 'delivered and acked',
          unit: 'msg/s' as const,
          ...(perSecond === undefined ? {} : { goals }),
        },
      ],
      roundsMax: 1,
      hasWarmUp: false,
      measure: (_: unknown, bench: Workbench) => measure(bench, perSecond, messages),
    });
    return [
      row('without a rate', undefined, unlimitedMessages),
      row('with a rate', limitPerSecond, limitedMessages),
    ];
  },
};
