/** The cost of a few bytes: input and requests to the API take their turns. Time is counted in steps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker, MemoryFiles, Router } from '../../../src/broker/index.ts';
import { Hall } from '../../../src/protocols/index.ts';
import {
  NatsFrontend,
  PillarboxJetStream,
  natsApiLevel,
  natsVersion,
} from '../../../src/protocols/nats/index.ts';
import { SeededRandom } from '../../../src/util/index.ts';
import { SteppedClock, WireClient, eventually } from '../../support/index.ts';
import { TestServer } from './nats-kit.ts';

/** A broker in memory with JetStream before it, on a clock of steps. */
async function withJetStream(run: (client: WireClient, clock: SteppedClock) => Promise<void>): Promise<void> {
  const clock = new SteppedClock();
  await using broker = await Broker.open({
    dir: 'data',
    files: new MemoryFiles(),
    memoryBytes: () => 0,
    clock,
  });
  const topic = await broker.createTopic({ name: 'S', subjects: ['s.>'] });
  for (let at = 0; at < 50; at++) await topic.send({ key: `s.${at}`, value: 'x'.repeat(100_000) });
  const frontend = new NatsFrontend({
    router: broker.router,
    jetStream: new PillarboxJetStream(broker, {
      name: 'costs',
      version: natsVersion,
      apiLevel: natsApiLevel,
    }),
    clock,
    random: broker.random,
    serverName: 'costs',
  });
  const { port } = await frontend.listen({ host: '127.0.0.1', port: 0 });
  try {
    using client = await WireClient.open(port);
    client.send('CONNECT {"verbose":false,"headers":true}\r\nSUB in.* 1\r\nPING\r\n');
    await client.readThrough('PONG\r\n');
    await run(client, clock);
  } finally {
    await frontend.close({ graceMs: 0 });
  }
}

function requests(subject: string, body: string, count: number): string {
  return Array.from(
    { length: count },
    (_, at) => `PUB $JS.API.${subject} in.${at} ${body.length}\r\n${body}\r\n`,
  ).join('');
}

for (const [what, subject, body] of [
  ['STREAM.INFO with subjects', 'STREAM.INFO.S', '{"subjects_filter":">"}'],
  ['STREAM.NAMES, answered at once', 'STREAM.NAMES', ''],
  ['STREAM.MSG.GET of what is not there', 'STREAM.MSG.GET.S', '{"seq":1,"next_by_subj":"s.*.nothing"}'],
] as const)
  test(`many requests in one read take many turns, and are answered in full: ${what}`, () =>
    withJetStream(async (client, clock) => {
      const count = 100;
      const before = clock.turns;
      client.send(requests(subject, body, count));
      await client.readThrough(`in.${count - 1} `);
      assert.ok(clock.turns - before >= 5, `${clock.turns - before} turns`);
    }));

test('requests that wait are answered in their order, and done when their connection has gone', async () => {
  await withJetStream(async (client) => {
    const names = Array.from({ length: 200 }, (_, at) => `T${at}`);
    client.send(
      names
        .map((name) => `{"name":"${name}","subjects":["${name}"]}`)
        .map((body, at) => `PUB $JS.API.STREAM.CREATE.${names[at]!} ${body.length}\r\n${body}\r\n`)
        .join(''),
    );
    client.send(requests('STREAM.NAMES', '', 1));
    const seen = await client.readThrough('"total":201');
    assert.match(seen, /in\.0/);
  });
});

test('subjects that take long to look up end the turn in the middle of a read, and no message is lost', async () => {
  const clock = new SteppedClock();
  await using server = await TestServer.start({
    router: new Router(new SeededRandom(1)),
    clock,
    hall: new Hall(clock),
  });
  using client = await server.connect();
  const count = 2000;
  const lines = Array.from({ length: count }, (_, at) => `PUB a.${at}.b 0\r\n\r\n`).join('');
  assert.ok(lines.length < 64 * 1024, 'it fits into one piece');
  client.send('SUB a.*.b 1\r\nPING\r\n');
  await client.readThrough('PONG\r\n');
  const before = clock.turns;
  client.send(`${lines}PING\r\n`);
  const seen = await client.readThrough('PONG\r\n');
  assert.deepEqual(
    [...seen.matchAll(/MSG a\.(\d+)\.b /g)].map(([, at]) => Number(at)),
    Array.from({ length: count }, (_, at) => at),
  );
  assert.ok(clock.turns - before > 10, `${clock.turns - before} turns`);
  await eventually(() => server.closeReasons.length === 0);
});
