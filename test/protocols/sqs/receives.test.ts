import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from '../../support/index.ts';
import { SqsServer } from './sqs-kit.ts';

const consumersOf = (server: SqsServer, queue: string): number =>
  server.broker.topic(queue)?.groups.get('default')?.consumers ?? 0;

describe('a long poll', () => {
  test('is answered by the next message', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const waiting = server.bodies(url, { WaitTimeSeconds: 20 });
    await eventually(() => consumersOf(server, 'orders') === 1);
    await server.send(url, 'a');
    assert.deepEqual(await waiting, ['a']);
    assert.equal(consumersOf(server, 'orders'), 0);
  });

  test('is answered with nothing when its time is over', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders', { ReceiveMessageWaitTimeSeconds: '7' });
    const waiting = server.bodies(url);
    await eventually(() => consumersOf(server, 'orders') === 1);
    server.clock.advance(6_999);
    assert.equal(consumersOf(server, 'orders'), 1);
    server.clock.advance(1);
    assert.deepEqual(await waiting, []);
  });

  test('gets a message whose timeout is over', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders', { VisibilityTimeout: '2' });
    await server.send(url, 'a');
    await server.receive(url);
    const waiting = server.bodies(url, { WaitTimeSeconds: 20 });
    await eventually(() => consumersOf(server, 'orders') === 1);
    server.clock.advance(2_000);
    assert.deepEqual(await waiting, ['a']);
  });

  test('gets a message that another client gives back', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, 'a');
    const [{ ReceiptHandle }] = await server.receive(url);
    const waiting = server.bodies(url, { WaitTimeSeconds: 20 });
    await eventually(() => consumersOf(server, 'orders') === 1);
    await server.call('ChangeMessageVisibility', { QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 });
    assert.deepEqual(await waiting, ['a']);
  });

  test('whose client has gone takes no message', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const body = JSON.stringify({ QueueUrl: url, WaitTimeSeconds: 20 });
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.write(
      `POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await eventually(() => consumersOf(server, 'orders') === 1);
    socket.destroy();
    await eventually(() => consumersOf(server, 'orders') === 0);
    await server.send(url, 'a');
    assert.deepEqual(await server.bodies(url), ['a']);
  });

  test('ends with its queue', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const waiting = server.told('ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 20 });
    await eventually(() => consumersOf(server, 'orders') === 1);
    await server.call('DeleteQueue', { QueueUrl: url });
    assert.match(await waiting, /^400 AWS\.SimpleQueueService\.NonExistentQueue/);
  });

  test('waits for at most 20 s', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    for (const WaitTimeSeconds of [21, -1])
      assert.equal(
        await server.told('ReceiveMessage', { QueueUrl, WaitTimeSeconds }),
        `400 InvalidParameterValue: Value ${WaitTimeSeconds} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.`,
      );
  });

  test('beyond the budget of the broker is throttled', async () => {
    await using server = await SqsServer.start({ brokerOptions: { budgets: { consumers: 2 } } });
    const QueueUrl = await server.queue('orders');
    const waiting = [1, 2].map(() => server.bodies(QueueUrl, { WaitTimeSeconds: 20 }));
    await eventually(() => consumersOf(server, 'orders') === 2);
    assert.match(
      await server.told('ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 }),
      /^403 RequestThrottled: .*consumers/,
    );
    await server.send(QueueUrl, 'a', 'b');
    assert.deepEqual((await Promise.all(waiting)).flat().sort(), ['a', 'b']);
  });
});

describe('messages in flight', () => {
  test('are bounded: a short poll is refused, a long poll gets nothing', async () => {
    await using server = await SqsServer.start({ inFlightMax: 3 });
    const url = await server.queue('orders');
    await server.send(url, 'a', 'b', 'c', 'd');
    const messages = await server.receive(url);
    assert.equal(messages.length, 3);
    assert.match(await server.told('ReceiveMessage', { QueueUrl: url }), /^403 OverLimit: /);
    const waiting = server.bodies(url, { WaitTimeSeconds: 5 });
    await eventually(() => consumersOf(server, 'orders') === 1);
    server.clock.advance(5_000);
    assert.deepEqual(await waiting, []);
    await server.call('DeleteMessage', { QueueUrl: url, ReceiptHandle: messages[0].ReceiptHandle });
    assert.deepEqual(await server.bodies(url), ['d']);
  });
});

describe('a visibility timeout', () => {
  test('is changed from now on', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, 'a');
    const [{ ReceiptHandle }] = await server.receive(url);
    server.clock.advance(29_000);
    const change = (VisibilityTimeout: number): Promise<string> =>
      server.told('ChangeMessageVisibility', { QueueUrl: url, ReceiptHandle, VisibilityTimeout });
    assert.equal(await change(60), '200');
    server.clock.advance(59_000);
    assert.deepEqual(await server.bodies(url), []);
    assert.equal(await change(0), '200');
    assert.equal(
      await change(5),
      '400 AWS.SimpleQueueService.MessageNotInflight: The specified message is not in flight.',
    );
    assert.deepEqual(await server.bodies(url), ['a']);
    assert.match(await change(5), /^400 AWS\.SimpleQueueService\.MessageNotInflight/);
  });

  test('ends twelve hours after the receive, however often it is changed', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, 'a');
    const [{ ReceiptHandle }] = await server.receive(url, { VisibilityTimeout: 43_200 });
    const change = (VisibilityTimeout: number): Promise<string> =>
      server.told('ChangeMessageVisibility', { QueueUrl: url, ReceiptHandle, VisibilityTimeout });
    assert.match(await change(43_201), /^400 InvalidParameterValue/);
    server.clock.advance(600_000);
    assert.match(await change(42_601), /Total VisibilityTimeout for the message is beyond the limit/);
    assert.equal(await change(42_600), '200');
  });

  test('of a message that was deleted cannot be changed', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, 'a');
    const [{ ReceiptHandle }] = await server.receive(url);
    await server.call('DeleteMessage', { QueueUrl: url, ReceiptHandle });
    assert.match(
      await server.told('ChangeMessageVisibility', { QueueUrl: url, ReceiptHandle, VisibilityTimeout: 1 }),
      /^400 InvalidParameterValue: .*Message does not exist or is not available/,
    );
  });
});

describe('a receipt handle', () => {
  test('of an earlier receive deletes nothing, and is no error', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders', { VisibilityTimeout: '1' });
    await server.send(url, 'a');
    const [first] = await server.receive(url);
    server.clock.advance(1_000);
    const [second] = await server.receive(url);
    const { ReceiptHandle } = first;
    assert.equal(await server.told('DeleteMessage', { QueueUrl: url, ReceiptHandle }), '200');
    server.clock.advance(1_000);
    assert.deepEqual(await server.bodies(url), ['a']);
    assert.notEqual(second.ReceiptHandle, ReceiptHandle);
  });

  test('deletes its message after the timeout, too, if nobody has received it since', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders', { VisibilityTimeout: '1' });
    await server.send(url, 'a');
    const [{ ReceiptHandle }] = await server.receive(url);
    server.clock.advance(2_000);
    assert.equal(await server.told('DeleteMessage', { QueueUrl: url, ReceiptHandle }), '200');
    assert.deepEqual(await server.bodies(url), []);
  });

  test('deletes twice without an error', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, 'a');
    const [{ ReceiptHandle }] = await server.receive(url);
    for (let time = 0; time < 2; time++)
      assert.equal(await server.told('DeleteMessage', { QueueUrl: url, ReceiptHandle }), '200');
  });

  test('that was made up, changed, or is of another queue is invalid', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const other = await server.queue('other');
    await server.send(url, 'a');
    await server.send(other, 'a');
    const [{ ReceiptHandle: foreign }] = await server.receive(other);
    const [{ ReceiptHandle: own }] = await server.receive(url);
    const bytes = Buffer.from(own, 'base64');
    const changed = (at: number): string => {
      const copy = Buffer.from(bytes);
      copy[at]! ^= 1;
      return copy.toString('base64');
    };
    for (const ReceiptHandle of [
      'x',
      foreign,
      changed(0),
      changed(20),
      `${own}=`,
      own.slice(0, -4),
      ` ${own}`,
    ]) {
      const says = `404 ReceiptHandleIsInvalid: The input receipt handle "${ReceiptHandle}" is not a valid receipt handle.`;
      assert.equal(await server.told('DeleteMessage', { QueueUrl: url, ReceiptHandle }), says);
      const change = { QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 };
      assert.equal(await server.told('ChangeMessageVisibility', change), says);
    }
    assert.equal(server.broker.topic('orders')!.count, 1);
  });

  test('of a queue that was deleted and made again is invalid', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, 'a');
    const [{ ReceiptHandle }] = await server.receive(url);
    await server.call('DeleteQueue', { QueueUrl: url });
    await server.queue('orders');
    await server.send(url, 'a');
    await server.receive(url);
    assert.match(
      await server.told('DeleteMessage', { QueueUrl: url, ReceiptHandle }),
      /^404 ReceiptHandleIsInvalid/,
    );
  });
});
