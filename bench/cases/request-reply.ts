import { Load } from '../load/index.ts';
import type { Contender } from '../servers/index.ts';
import { both, withCores, withLoads, type Case, type Sample, type Workbench } from './case.ts';

const subject = 'bench.request.subject';
const payloadBytes = 128;

async function measure(contender: Contender, bench: Workbench, seconds: number): Promise<Sample> {
  const { scratch } = bench;
  const running = await bench.server(contender);
  const { port } = running;
  const responder = Load.start({ kind: 'responder', port, subject, payloadBytes }, scratch);
  await Promise.allSettled([responder]);
  const requester = Load.start({ kind: 'requester', port, subject, payloadBytes, seconds }, scratch);
  return withLoads([requester, responder], ([asking, answering]) =>
    withCores(running, async () => {
      if (asking === undefined || answering === undefined) throw new Error('a generator is missing');
      answering.go();
      asking.go();
      const asked = await asking.report();
      answering.finish(0);
      const { latency } = asked;
      if (latency === undefined) throw new Error('the requester reported no latency');
      return {
        sample: { p50Us: latency.p50Us, p99Us: latency.p99Us },
        reports: [asked, await answering.report()],
      };
    }),
  );
}

export const requestReplyCase: Case = {
  id: 'request-reply',
  title: 'Request and reply',
  about: `Time from a request of ${payloadBytes} B to its answer, one request at a time; the two generators' own share is in it.`,
  rows: () => [
    {
      label: 'one requester, one responder',
      contenders: both,
      metrics: [
        { key: 'p50Us', label: 'median', unit: 'µs' },
        { key: 'p99Us', label: '99th percentile', unit: 'µs' },
      ],
      hasWarmUp: true,
      measure,
    },
  ],
};
