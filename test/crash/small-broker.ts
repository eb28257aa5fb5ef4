import { rename, writeFile } from 'node:fs/promises';
import { Broker, RealFiles } from '../../src/broker/index.ts';
import { exitCode } from '../../src/cli/exit-code.ts';
import { AmqpFrontend } from '../../src/protocols/amqp/index.ts';
import { Listener } from '../../src/protocols/connections/index.ts';
import {
  NatsFrontend,
  PillarboxJetStream,
  natsApiLevel,
  natsVersion,
} from '../../src/protocols/nats/index.ts';
import { SqsFrontend } from '../../src/protocols/sqs/index.ts';

// A broker process with a journal and segments so small that files are recycled, checkpoints made and
// segments rolled all the time: `small-broker.js DATA NATS-PORT AMQP-PORT SQS-PORT PORTS-FILE`. It is
// `pillarbox serve` without settings, log, Kafka and admin HTTP.

const [dir = '', portText = '', amqpPortText = '', sqsPortText = '', portsFile = ''] = process.argv.slice(2);
const kib = 1024;

const broker = await Broker.open({
  dir,
  files: new RealFiles(),
  watermarks: { diskFreeBytesMin: 0, memoryBytesMax: Infinity },
  log: {
    journalFileBytes: 256 * kib,
    checkpointBytes: 512 * kib,
    segmentBytesMax: 256 * kib,
    batchBytesMax: 8 * kib,
    tailCacheBytesMax: 256 * kib,
    readCacheBytesMax: 256 * kib,
    unflushedBytesMax: 128 * kib,
  },
  onFailed: (error) => {
    process.stderr.write(`failed: ${error.message}\n`);
    process.exit(exitCode.storageFailed);
  },
  onDamaged: (report) => process.stderr.write(`damage: ${report.message}\n`),
});
const serverName = 'small';
const frontend = new NatsFrontend({
  router: broker.router,
  jetStream: new PillarboxJetStream(broker, {
    name: serverName,
    version: natsVersion,
    apiLevel: natsApiLevel,
  }),
  clock: broker.clock,
  random: broker.random,
  serverName,
});
const { port } = await frontend.listen({ host: '127.0.0.1', port: Number(portText) });
const amqp = new AmqpFrontend({ broker });
const { port: amqpPort } = await amqp.listen({ host: '127.0.0.1', port: Number(amqpPortText) });
const sqs = new SqsFrontend({
  broker,
  report: (error, request) => process.stderr.write(`damage: SQS, ${request}: ${String(error)}\n`),
});
const sqsListener = Listener.for((socket) => sqs.accept(socket));
const { port: sqsPort } = await sqsListener.listen({ host: '127.0.0.1', port: Number(sqsPortText) });
const ports = { pid: process.pid, nats: port, amqp: amqpPort, sqs: sqsPort };
await writeFile(`${portsFile}.new`, `${JSON.stringify(ports)}\n`);
await rename(`${portsFile}.new`, portsFile);
process.once('SIGTERM', () => {
  void sqsListener.close();
  const frontends = [frontend, amqp, sqs];
  void Promise.all(frontends.map((each) => each.close({ graceMs: 200 })))
    .then(() => broker.close())
    .then(() => process.exit(exitCode.ok));
});
