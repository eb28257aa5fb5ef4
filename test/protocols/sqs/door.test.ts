import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { userWithPassword, Users } from '../../../src/protocols/users/index.ts';
import { SqsServer } from './sqs-kit.ts';

describe('the door of SQS', () => {
  test('answers with the headers of AWS JSON', async () => {
    await using server = await SqsServer.start();
    const { headers, text } = await server.ask('DeleteQueue', { QueueUrl: await server.queue('orders') });
    assert.equal(headers.get('content-type'), 'application/x-amz-json-1.0');
    assert.match(headers.get('x-amzn-requestid')!, /^[0-9a-f-]{36}$/);
    assert.equal(text, '');
  });

  test('has the shape, the code and the text of an error', async () => {
    await using server = await SqsServer.start();
    const { status, headers, body } = await server.ask('GetQueueUrl', { QueueName: 'orders' });
    assert.equal(status, 400);
    assert.equal(headers.get('x-amzn-query-error'), 'AWS.SimpleQueueService.NonExistentQueue;Sender');
    assert.deepEqual(body, {
      __type: 'com.amazonaws.sqs#QueueDoesNotExist',
      message: 'The specified queue does not exist.',
    });
  });

  test('has 400 for errors of clients that do not come from Query', async () => {
    await using server = await SqsServer.start();
    const input = { QueueUrl: await server.queue('orders'), ReceiptHandle: 'x' };
    assert.equal((await server.ask('DeleteMessage', input)).status, 404);
    const headers = { 'x-amzn-query-mode': 'false' };
    assert.equal((await server.ask('DeleteMessage', input, headers)).status, 400);
  });

  for (const [what, action, body, says] of [
    ['another operation', 'Dance', {}, /^400 InvalidAction/],
    ['broken JSON', 'ListQueues', '{', /^400 MalformedInput/],
    ['a list', 'ListQueues', '[]', /^400 MalformedInput/],
    ['deep JSON', 'ListQueues', '['.repeat(100_000), /^400 MalformedInput/],
    ['a number for a text', 'GetQueueUrl', { QueueName: 1 }, /^400 MalformedInput/],
    ['no name', 'GetQueueUrl', {}, /^400 MissingParameter: The request must contain the parameter QueueName/],
    ['a body that is too large', 'ListQueues', ' '.repeat(4 * 2 ** 20 + 1), /^400 InvalidParameterValue/],
  ] as const)
    test(`refuses ${what}`, async () => {
      await using server = await SqsServer.start();
      assert.match(await server.told(action, body), says);
    });

  test('keeps out web pages', async () => {
    await using server = await SqsServer.start();
    await server.queue('orders');
    for (const headers of [{ origin: 'http://example.com' }, { origin: 'null' }])
      assert.equal((await server.ask('ListQueues', {}, headers)).status, 403);
  });

  test('asks for a signature where there are users', async () => {
    const users = new Users([userWithPassword('sqs', 'ann', 'secret')]);
    await using server = await SqsServer.start({ users });
    assert.match(await server.told('ListQueues'), /^403 MissingAuthenticationToken/);
  });

  test('refuses other methods', async () => {
    await using server = await SqsServer.start();
    const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'PUT' });
    assert.equal(response.status, 400);
  });
});
