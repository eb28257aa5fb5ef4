import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeDelete, readHandles, requireAllDone } from '../../bench/load/sqs-request.ts';
import { SqsPoller } from '../../bench/load/sqs-poller.ts';
import { SqsReceiver } from '../../bench/load/sqs-receiver.ts';
import { SqsSdkSender } from '../../bench/load/sqs-sdk-sender.ts';
import { SqsSender } from '../../bench/load/sqs-sender.ts';
import { SqsQueues } from '../../bench/servers/sqs-queues.ts';
import { SqsServer } from '../protocols/sqs/sqs-kit.ts';
import { eventually } from '../support/index.ts';

const fail = (error: unknown): never => {
  throw error;
};

test('senders send what they report, and a receiver deletes all of it', async () => {
  await using server = await SqsServer.start();
  const { port } = server;
  const admin = new SqsQueues(port);
  const queueUrl = await admin.create();
  const job = { kind: 'sqs-sender', port, queueUrl, payloadBytes: 16, groups: 0, seconds: 60 } as const;
  let sent = 0;
  for (const shape of [
    { batch: 1, window: 1, messages: 5 },
    { batch: 1, window: 4, messages: 15 },
    { batch: 10, window: 3, messages: 100 },
  ]) {
    const sender = await SqsSender.open({ ...job, ...shape }, fail);
    assert.equal((await sender.run()).messages, shape.messages);
    sender.end();
    sent += shape.messages;
    await admin.requireCount(queueUrl, { visible: sent, inFlight: 0 });
  }
  const sdk = await SqsSdkSender.open(
    { kind: 'sqs-sdk-sender', port, queueUrl, payloadBytes: 16, window: 2, seconds: 60, messages: 6 },
    fail,
  );
  assert.equal((await sdk.run()).messages, 6);
  sdk.end();
  const receive = { kind: 'sqs-receiver', port, queueUrl, window: 3, seconds: 60 } as const;
  const receiver = await SqsReceiver.open({ ...receive, deletes: true, messages: sent + 6 }, fail);
  const report = await receiver.run();
  assert.equal(report.messages, sent + 6);
  assert.equal(report.partRates?.length, 4);
  assert.ok(report.partRates.every((rate) => rate > 0));
  receiver.end();
  await admin.requireCount(queueUrl, { visible: 0, inFlight: 0 });
  await admin.delete(queueUrl);
  assert.equal(server.broker.topics.size, 0);
});

test('a receiver that does not delete leaves its messages in flight', async () => {
  await using server = await SqsServer.start();
  const { port } = server;
  const admin = new SqsQueues(port);
  const queueUrl = await admin.create();
  const job = { port, queueUrl, payloadBytes: 16, window: 2, seconds: 60, messages: 40 } as const;
  const sender = await SqsSender.open({ kind: 'sqs-sender', ...job, batch: 10, groups: 0 }, fail);
  await sender.run();
  sender.end();
  const receiver = await SqsReceiver.open(
    { kind: 'sqs-receiver', ...job, deletes: false, visibilitySeconds: 43_200 },
    fail,
  );
  assert.equal((await receiver.run()).messages, 40);
  receiver.end();
  await admin.requireCount(queueUrl, { visible: 0, inFlight: 40 });
});

test('a FIFO queue gets its messages by groups and gives them all back', async () => {
  await using server = await SqsServer.start();
  const { port } = server;
  const admin = new SqsQueues(port);
  const queueUrl = await admin.create('FIFO');
  const job = { port, queueUrl, payloadBytes: 16, window: 3, seconds: 60, messages: 200 } as const;
  const sender = await SqsSender.open({ kind: 'sqs-sender', ...job, batch: 10, groups: 7 }, fail);
  assert.equal((await sender.run()).messages, 200);
  sender.end();
  await admin.requireCount(queueUrl, { visible: 200, inFlight: 0 });
  const receiver = await SqsReceiver.open({ kind: 'sqs-receiver', ...job, deletes: true }, fail);
  assert.equal((await receiver.run()).messages, 200);
  receiver.end();
  await admin.requireCount(queueUrl, { visible: 0, inFlight: 0 });
});

test('polls wait, and those that end are begun again', async () => {
  await using server = await SqsServer.start();
  const { port, clock } = server;
  const admin = new SqsQueues(port);
  const queueUrl = await admin.create();
  const poller = await SqsPoller.open(
    { kind: 'sqs-poller', port, queueUrl, polls: 5, seconds: 0.01 },
    () => {}, // the server may end first
  );
  for (const ended of [5, 10]) {
    await eventually(() => {
      clock.advance(1000);
      return poller.polls >= ended;
    });
  }
  assert.ok((await poller.run()).endMs > 0);
  poller.end();
});

test('an error of the server fails a sender, also for one entry of a batch', async () => {
  await using server = await SqsServer.start();
  const { port } = server;
  const queueUrl = `http://127.0.0.1:${port}/000000000000/none`;
  const failed = new Promise<Error>((resolve) => {
    const job = { port, queueUrl, payloadBytes: 16, batch: 1, window: 1, groups: 0 } as const;
    void SqsSender.open({ kind: 'sqs-sender', ...job, seconds: 60, messages: 1 }, resolve).then((sender) =>
      sender.run(),
    );
  });
  assert.match((await failed).message, /said 400/);
  requireAllDone('{"Successful":[{"Id":"0"}],"Failed":[]}');
  assert.throws(() => requireAllDone('{"Failed":[{"Id":"0","Code":"x"}]}'), /failed/);
});

test('receipt handles are sent back as they came', () => {
  const handles = ['a#b', 'c\\/d=='];
  const output = `{"Messages":[${handles.map((handle) => `{"Body":"x","ReceiptHandle":"${handle}"}`).join(',')}]}`;
  assert.deepEqual(readHandles(output), handles);
  assert.deepEqual(readHandles('{}'), []);
  const request = encodeDelete({ port: 1, queueUrl: 'http://h/0/q' }, handles).toString();
  const body = JSON.parse(request.slice(request.indexOf('\r\n\r\n'))) as { Entries: object[] };
  assert.deepEqual(body.Entries, [
    { Id: '0', ReceiptHandle: 'a#b' },
    { Id: '1', ReceiptHandle: 'c/d==' },
  ]);
});
