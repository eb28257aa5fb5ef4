import { Load } from '../load/index.ts';
import type { Contender, ServerProcess } from '../servers/index.ts';
import { withCores, withLoads, type Case, type Sample, type Workbench } from './case.ts';
import { fill, sendTo, sqsServers, timesDurable, withSqsQueue, type SqsQueue } from './sqs-queue.ts';
import { rateOf } from './stream.ts';

const payloadBytes = 100;
const window = 16;
/** A slow server gets as many messages as it takes in this time. */
const fillSeconds = 5;
/** A backlog that is not drained by then fails the measurement. */
const drainSeconds = 120;

/** Receives and deletes all messages of a queue, and checks that nothing is left. */
async function drain(
  { port, queueUrl, admin }: SqsQueue,
  { server, bench, messages }: { server: ServerProcess; bench: Workbench; messages: number },
): Promise<Sample> {
  const job = { kind: 'sqs-receiver', port, queueUrl, window, messages, deletes: true } as const;
  const load = Load.start({ ...job, seconds: drainSeconds }, bench.scratch);
  return withLoads([load], async ([receiver]) => {
    const sample = await withCores(server, async () => {
      receiver!.go();
      const report = await receiver!.report();
      const [first = Number.NaN, last = Number.NaN] = [report.partRates?.[0], report.partRates?.at(-1)];
      return { sample: { rate: rateOf(report), first, last, kept: last / first }, reports: [report] };
    });
    await admin.requireCount(queueUrl, { visible: 0, inFlight: 0 });
    return sample;
  });
}

async function measure(contender: Contender, bench: Workbench): Promise<Sample> {
  const server = await bench.server(contender);
  return withSqsQueue({ server, bench }, async (queue) => {
    const messagesMax = bench.settings.consumeMessages / 5;
    const load = { ...fill, payloadBytes, seconds: fillSeconds, messages: messagesMax };
    const { messages } = await sendTo(queue, bench, load);
    bench.settleDisk();
    return drain(queue, { server, bench, messages });
  });
}

export const sqsReceiveCase: Case = {
  id: 'sqs-receive',
  title: 'SQS: receive and delete',
  about: `Messages of ${payloadBytes} B received and deleted per second from a filled standard queue until it is empty: ReceiveMessage of 10, then DeleteMessageBatch, on each of ${window} raw connections.`,
  rows: ({ consumeMessages }) => [
    {
      label: `${(consumeMessages / 5).toLocaleString('en')} messages, or ${fillSeconds} s of sends`,
      contenders: sqsServers,
      metrics: [
        { key: 'rate', unit: 'msg/s', goals: [{ kind: 'least', value: 100_000 }, ...timesDurable(5)] },
      ],
      hasWarmUp: true,
      measure,
    },
  ],
};

async function measureFifo(contender: Contender, bench: Workbench): Promise<Sample> {
  const server = await bench.server(contender);
  return withSqsQueue({ server, bench, kind: 'FIFO' }, async (queue) => {
    const { sqsFifoMessages: messages, sqsFifoGroups: groups } = bench.settings;
    const load = { ...fill, groups, payloadBytes, seconds: drainSeconds, messages };
    const sent = await sendTo(queue, bench, load);
    if (sent.messages < messages)
      throw new Error(`it took only ${sent.messages} of ${messages} messages in ${drainSeconds} s`);
    bench.settleDisk();
    return drain(queue, { server, bench, messages });
  });
}

export const sqsFifoCase: Case = {
  id: 'sqs-fifo',
  title: 'SQS: a FIFO backlog',
  about: `A FIFO queue, filled with messages of ${payloadBytes} B of its groups in turn, is received and deleted as above until it is empty: messages per second in all, and in the first and the last quarter. A server that takes longer than ${drainSeconds} s fails.`,
  rows: ({ sqsFifoMessages, sqsFifoGroups }) => [
    {
      label: `${sqsFifoMessages.toLocaleString('en')} messages in ${sqsFifoGroups.toLocaleString('en')} groups`,
      contenders: sqsServers,
      metrics: [
        { key: 'rate', unit: 'msg/s' },
        { key: 'first', label: 'first quarter', unit: 'msg/s' },
        { key: 'last', label: 'last quarter', unit: 'msg/s' },
        { key: 'kept', label: 'last ÷ first', unit: '×', goals: [{ kind: 'least', value: 0.8 }] },
      ],
      roundsMax: 3,
      hasWarmUp: true, // or the first quarter is that of code which has not run yet
      measure: measureFifo,
    },
  ],
};
