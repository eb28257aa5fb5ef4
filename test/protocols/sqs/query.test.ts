import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SqsServer } from './sqs-kit.ts';

/** Sends a form and returns status and body; the request id in it reads `ID`. */
async function ask(
  server: SqsServer,
  fields: { readonly [name: string]: string },
  { path = '/', isGet = false } = {},
): Promise<{ readonly status: number; readonly body: string }> {
  const form = new URLSearchParams({ Version: '2012-11-05', ...fields }).toString();
  const target = `http://127.0.0.1:${server.port}${path}`;
  const response = isGet
    ? await fetch(`${target}?${form}`)
    : await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: form,
      });
  assert.equal(response.headers.get('content-type'), 'text/xml');
  const id = response.headers.get('x-amzn-requestid')!;
  return { status: response.status, body: (await response.text()).replace(id, 'ID') };
}

const namespace = 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"';
const metadata = '<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata>';

describe('Query', () => {
  test('creates a queue, and sends, receives and deletes a message', async () => {
    await using server = await SqsServer.start();
    const url = `http://127.0.0.1:${server.port}/000000000000/orders`;
    const created = await ask(server, {
      Action: 'CreateQueue',
      QueueName: 'orders',
      'Attribute.1.Name': 'DelaySeconds',
      'Attribute.1.Value': '0',
      'Tag.1.Key': 'team',
      'Tag.1.Value': 'a',
    });
    assert.deepEqual(created, {
      status: 200,
      body: `<?xml version="1.0"?><CreateQueueResponse ${namespace}><CreateQueueResult><QueueUrl>${url}</QueueUrl></CreateQueueResult>${metadata}</CreateQueueResponse>`,
    });
    assert.deepEqual(await server.call('ListQueueTags', { QueueUrl: url }), { Tags: { team: 'a' } });
    const sent = await ask(
      server,
      {
        Action: 'SendMessage',
        MessageBody: 'say "hi" & <bye>',
        'MessageAttribute.1.Name': 'colour',
        'MessageAttribute.1.Value.DataType': 'String',
        'MessageAttribute.1.Value.StringValue': 'red',
      },
      { path: '/000000000000/orders' },
    );
    assert.match(sent.body, /<SendMessageResult><MD5OfMessageBody>[0-9a-f]{32}</);
    const received = await ask(server, {
      Action: 'ReceiveMessage',
      QueueUrl: url,
      'AttributeName.1': 'ApproximateReceiveCount',
      'MessageAttributeName.1': 'All',
    });
    assert.match(received.body, /<Body>say &quot;hi&quot; &amp; &lt;bye&gt;<\/Body>/);
    assert.match(
      received.body,
      /<Attribute><Name>ApproximateReceiveCount<\/Name><Value>1<\/Value><\/Attribute>/,
    );
    assert.match(
      received.body,
      /<MessageAttribute><Name>colour<\/Name><Value><DataType>String<\/DataType><StringValue>red</,
    );
    const [, ReceiptHandle = ''] = /<ReceiptHandle>(.*)<\/ReceiptHandle>/.exec(received.body) ?? [];
    const removed = await ask(
      server,
      { Action: 'DeleteMessage', ReceiptHandle },
      { path: '/000000000000/orders', isGet: true },
    );
    assert.deepEqual(removed, {
      status: 200,
      body: `<?xml version="1.0"?><DeleteMessageResponse ${namespace}>${metadata}</DeleteMessageResponse>`,
    });
    assert.equal(server.broker.topic('orders')!.count, 0);
  });

  test('has an error of its own for a queue that does not exist', async () => {
    await using server = await SqsServer.start();
    const { status, body } = await ask(server, { Action: 'GetQueueUrl', QueueName: 'orders' });
    assert.equal(status, 400);
    assert.equal(
      body,
      `<?xml version="1.0"?><ErrorResponse ${namespace}><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error><RequestId>ID</RequestId></ErrorResponse>`,
    );
  });

  for (const [fields, code] of [
    [{}, 'MissingAction'],
    [{ Action: 'Dance' }, 'InvalidAction'],
    [{ Action: 'Publish', Message: 'a' }, 'InvalidAction'],
    [{ Action: 'SendMessage', MessageBody: 'a' }, 'MissingParameter'],
    [{ Action: 'ReceiveMessage', QueueUrl: '/0/orders', MaxNumberOfMessages: 'x' }, 'MalformedInput'],
  ] as const)
    test(`refuses ${JSON.stringify(fields)}`, async () => {
      await using server = await SqsServer.start();
      const { status, body } = await ask(server, fields);
      assert.equal(status, 400);
      assert.match(body, new RegExp(`<Code>${code}</Code>`));
    });
});
