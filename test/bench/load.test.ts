import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { Load, runLoad, type LoadJob } from '../../bench/load/index.ts';
import { loopbackBytesPerSecond } from '../../bench/loopback.ts';
import { Scratch } from '../../bench/scratch.ts';
import { FakeServer } from './fake-server.ts';

let server: FakeServer;
let port: number;
let scratch: Scratch;

beforeEach(async () => {
  scratch = new Scratch();
  server = new FakeServer();
  port = await server.listen();
});

afterEach(async () => {
  scratch.clear();
  await server.close();
});

async function startAll(jobs: readonly LoadJob[]): Promise<Load[]> {
  const loads: Load[] = [];
  for (const job of jobs) loads.push(await Load.start(job, scratch));
  for (const load of loads) load.go();
  return loads;
}

test('a publisher reports as many messages as the server got', async () => {
  const job = { kind: 'publisher', port, subject: 'a', payloadBytes: 16, seconds: 0.05 } as const;
  const report = await runLoad(job, scratch);
  assert.ok(report.messages > 0);
  assert.equal(server.published, report.messages);
  assert.ok(report.endMs > report.startMs && report.cores > 0);
});

test('a subscriber reports the messages of all its connections', async () => {
  const [reader, writer] = await startAll([
    { kind: 'subscriber', port, subject: 'a', connections: 2 },
    { kind: 'publisher', port, subject: 'a', payloadBytes: 128, seconds: 0.02 },
  ]);
  const written = await writer?.report();
  reader?.finish(written?.messages ?? 0);
  const read = await reader?.report();
  assert.equal(read?.messages, (written?.messages ?? 0) * 2);
  assert.ok((read?.endMs ?? 0) > (written?.startMs ?? Infinity));
});

test('a requester measures each answer of a responder', async () => {
  const [responder, requester] = await startAll([
    { kind: 'responder', port, subject: 'a', payloadBytes: 16 },
    { kind: 'requester', port, subject: 'a', payloadBytes: 16, seconds: 0.05 },
  ]);
  const asked = await requester?.report();
  responder?.finish(0);
  assert.equal((await responder?.report())?.messages, asked?.messages);
  assert.ok((asked?.latency?.p99Us ?? 0) >= (asked?.latency?.p50Us ?? Infinity));
});

test('a stream publisher stops at its count with every message acked', async () => {
  const limits = { window: 16, seconds: 60, messages: 250 };
  const job = {
    kind: 'stream-publisher',
    port,
    subjects: ['a', 'b', 'c'],
    payloadBytes: 8,
    ...limits,
  } as const;
  assert.equal((await runLoad(job, scratch)).messages, 250);
  assert.equal(server.published, 250);
});

test('a refused publish fails the run', async () => {
  const refusing = new FakeServer((sequence) => (sequence < 20 ? '{"seq":1}' : '{"error":{"code":503}}'));
  const limits = { window: 4, seconds: 60, messages: 100 };
  try {
    const refusingPort = await refusing.listen();
    const job = { kind: 'stream-publisher', subjects: ['a'], payloadBytes: 8, ...limits } as const;
    await assert.rejects(runLoad({ ...job, port: refusingPort }, scratch), /refused: \{"error"/);
  } finally {
    await refusing.close();
  }
});

test('a server that goes away fails the run', async () => {
  const [reader] = await startAll([{ kind: 'subscriber', port, subject: 'a', connections: 1 }]);
  await server.close();
  await assert.rejects(reader?.report() ?? Promise.resolve(), /closed the connection/);
  port = await server.listen();
});

test('a sync loop reports its latency and removes its file', async () => {
  const directory = scratch.makeDirectory();
  for (const place of ['append', 'overwrite'] as const) {
    const job = { kind: 'sync-loop', directory, recordBytes: 256, place, seconds: 0.02 } as const;
    const report = await runLoad(job, scratch);
    assert.ok(report.messages > 0 && (report.latency?.p50Us ?? 0) > 0);
  }
  scratch.clear();
  assert.equal(existsSync(directory), false);
});

test('the bare loopback is measured by as many bytes as were asked for', async () => {
  const bytes = 5_000_000;
  assert.ok((await loopbackBytesPerSecond(bytes, scratch)) > bytes / 30);
});
