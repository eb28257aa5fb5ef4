import { nowMs } from './clock.ts';
import { AmqpConnections } from './amqp-connections.ts';
import { AmqpConsumer } from './amqp-consumer.ts';
import { AmqpPacedPublisher } from './amqp-paced-publisher.ts';
import { AmqpPublisher } from './amqp-publisher.ts';
import { BrokerOpener } from './broker-opener.ts';
import { EmbeddedPublisher } from './embedded-publisher.ts';
import type { Generator, LoadAnswer, LoadCommand, LoadJob } from './job.ts';
import { JournalFiller } from './journal-filler.ts';
import { KafkaMembers } from './kafka-members.ts';
import { KafkaProducer } from './kafka-producer.ts';
import { KafkaReader } from './kafka-reader.ts';
import { LoopbackReader } from './loopback-reader.ts';
import { Publisher } from './publisher.ts';
import { Scheduler } from './scheduler.ts';
import { Requester } from './requester.ts';
import { Responder } from './responder.ts';
import { SqsPoller } from './sqs-poller.ts';
import { SqsReceiver } from './sqs-receiver.ts';
import { SqsSender } from './sqs-sender.ts';
import { StreamConsumer } from './stream-consumer.ts';
import { StreamPublisher } from './stream-publisher.ts';
import { Subscriber } from './subscriber.ts';
import { SyncLoop } from './sync-loop.ts';

// The process of one generator. It receives its job, reports that it is ready, runs on `go`, reports the
// result, and waits to be ended.

function answer(message: LoadAnswer): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  answer({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
}

type Opener<K extends LoadJob['kind']> = (job: Extract<LoadJob, { kind: K }>) => Promise<Generator>;

const openers: { readonly [K in LoadJob['kind']]: Opener<K> } = {
  publisher: (job) => Publisher.open(job, fail),
  subscriber: (job) => Subscriber.open(job, fail),
  scheduler: (job) => Scheduler.open(job),
  requester: (job) => Requester.open(job, fail),
  responder: (job) => Responder.open(job, fail),
  'stream-publisher': (job) => StreamPublisher.open(job, fail),
  'stream-consumer': (job) => StreamConsumer.open(job, fail),
  'kafka-producer': (job) => KafkaProducer.open(job, fail),
  'kafka-members': (job) => KafkaMembers.open(job, fail),
  'kafka-reader': (job) => KafkaReader.open(job, fail),
  'amqp-publisher': (job) => AmqpPublisher.open(job, fail),
  'amqp-paced-publisher': (job) => AmqpPacedPublisher.open(job, fail),
  'amqp-consumer': (job) => AmqpConsumer.open(job, fail),
  'amqp-connections': (job) => AmqpConnections.open(job, fail),
  // The libraries of clients take a while to load, and the other generators have no use for them.
  'amqplib-publisher': async (job) =>
    (await import('./amqplib-publisher.ts')).AmqplibPublisher.open(job, fail),
  'amqplib-consumer': async (job) => (await import('./amqplib-consumer.ts')).AmqplibConsumer.open(job, fail),
  'sqs-sender': (job) => SqsSender.open(job, fail),
  'sqs-receiver': (job) => SqsReceiver.open(job, fail),
  'sqs-poller': (job) => SqsPoller.open(job, fail),
  'sqs-sdk-sender': async (job) => (await import('./sqs-sdk-sender.ts')).SqsSdkSender.open(job, fail),
  'loopback-reader': (job) => LoopbackReader.open(job, fail),
  'sync-loop': async (job) => new SyncLoop(job),
  'embedded-publisher': (job) => EmbeddedPublisher.open(job),
  'journal-filler': (job) => JournalFiller.open(job),
  'broker-opener': async (job) => new BrokerOpener(job),
};

function openGenerator<K extends LoadJob['kind']>(job: Extract<LoadJob, { kind: K }>): Promise<Generator> {
  return openers[job.kind](job);
}

async function run(generator: Generator): Promise<void> {
  const before = process.cpuUsage();
  const startMs = nowMs();
  const count = await generator.run();
  const used = process.cpuUsage(before);
  const cores = (used.user + used.system) / 1e3 / (nowMs() - startMs);
  await generator.end();
  answer({ kind: 'report', report: { ...count, cores } });
}

let generator: Generator | undefined;

process.on('message', (command: LoadCommand) => {
  switch (command.kind) {
    case 'job':
      openGenerator(command.job)
        .then((opened) => {
          generator = opened;
          answer({ kind: 'ready' });
        })
        .catch(fail);
      break;
    case 'go':
      if (generator !== undefined) run(generator).catch(fail);
      break;
    case 'finish':
      generator?.finish?.(command.messages);
      break;
  }
});
process.on('uncaughtException', fail);
// The bench is gone: there is no process left to report to.
process.on('disconnect', () => process.exit(1));
