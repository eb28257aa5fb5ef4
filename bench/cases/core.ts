import { Load } from '../load/index.ts';
import type { Contender } from '../servers/index.ts';
import { both, withCores, withLoads, type Case, type Row, type Sample, type Workbench } from './case.ts';

const subject = 'bench.core.subject';
/** How long messages may still arrive after the publisher is done before they count as lost. */
const arrivalMsMax = 15_000;

/** One publisher and `subscribers` subscriptions of its subject, each on its own connection. */
interface Shape {
  readonly subscribers: number;
  /** The ratio to nats-server to reach at 128 bytes. */
  readonly ratioLeast: number;
}

async function measure(
  contender: Contender,
  bench: Workbench,
  shape: Shape,
  payloadBytes: number,
  seconds: number,
): Promise<Sample> {
  const { scratch } = bench;
  const running = await bench.server(contender);
  const { port } = running;
  const subscriber: Promise<Load>[] = [];
  if (shape.subscribers > 0) {
    const connections = shape.subscribers;
    subscriber.push(Load.start({ kind: 'subscriber', port, subject, connections }, scratch));
  }
  // The subscriptions exist before the first message: the publisher connects after them.
  await Promise.allSettled(subscriber);
  const publisher = Load.start({ kind: 'publisher', port, subject, payloadBytes, seconds }, scratch);
  return withLoads([publisher, ...subscriber], ([writer, reader]) =>
    withCores(running, async () => {
      if (writer === undefined) throw new Error('there is no publisher');
      reader?.go();
      writer.go();
      const written = await writer.report();
      reader?.finish(written.messages);
      const read = await reader?.report(arrivalMsMax);
      const endMs = read?.endMs ?? written.endMs;
      const messages = read?.messages ?? written.messages;
      return {
        sample: { rate: (messages * 1e3) / (endMs - written.startMs) },
        reports: read === undefined ? [written] : [written, { ...read, startMs: written.startMs }],
      };
    }),
  );
}

function rowOf(shape: Shape, payloadBytes: number): Row {
  const metric = { key: 'rate', unit: 'msg/s' } as const;
  const goal = { kind: 'ratio', against: 'nats-server', least: shape.ratioLeast } as const;
  return {
    label: `${payloadBytes} B`,
    contenders: both,
    metrics: [payloadBytes === 128 ? { ...metric, goals: [goal] } : metric],
    hasWarmUp: true,
    measure: (contender, bench, seconds) => measure(contender, bench, shape, payloadBytes, seconds),
  };
}

function caseOf(shape: Shape, title: string, about: string): Case {
  return {
    id: `core-1-${shape.subscribers}`,
    title,
    about,
    rows: (settings) => settings.sizes.map((payloadBytes) => rowOf(shape, payloadBytes)),
  };
}

export const coreCases: readonly Case[] = [
  caseOf(
    { subscribers: 0, ratioLeast: 1.2 },
    'Core: one publisher, nobody listens',
    'Messages written per second, until the server has answered a PING behind the last of them.',
  ),
  caseOf(
    { subscribers: 1, ratioLeast: 1.5 },
    'Core: one publisher, one subscriber',
    'Messages delivered per second, from the first write until the last has arrived.',
  ),
  caseOf(
    { subscribers: 4, ratioLeast: 1.3 },
    'Core: one publisher, four subscribers',
    'Deliveries per second to all four together, from the first write until the last has arrived.',
  ),
];
