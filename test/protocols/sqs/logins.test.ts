import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUsers, Users } from '../../../src/protocols/users/index.ts';
import { presignTarget, signRequest, type SignableRequest } from '../../../src/wire/aws/index.ts';
import { eventually } from '../../support/index.ts';
import { SqsServer } from './sqs-kit.ts';

const keys = { ada: 'ada-secret', bob: 'bob-secret', root: 'root-secret' } as const;
type Name = keyof typeof keys;

/** Ada publishes to orders, Bob consumes from it, root may do everything. */
const users = new Users(
  parseUsers([
    {
      name: 'ada',
      'access-key': { id: 'AKIAADA', secret: keys.ada },
      permissions: { publish: ['orders', 'events'], manage: ['events'] },
    },
    {
      name: 'bob',
      'access-key': [{ id: 'AKIABOB', secret: keys.bob }],
      permissions: { consume: ['orders'] },
    },
    // A readable password is a secret, too.
    { name: 'root', password: keys.root },
    { name: 'other', 'access-key': { id: 'AKIAOTHER', secret: 'x' }, protocols: ['nats'] },
  ]),
);
const ids: { readonly [name in Name]: string } = { ada: 'AKIAADA', bob: 'AKIABOB', root: 'root' };

interface Reply {
  readonly status: number;
  readonly code: string;
  readonly text: string;
}

/** Sends a signed request; `change` is what somebody does to it on the way. */
async function ask(
  server: SqsServer,
  who: Name | { readonly id: string; readonly secret: string },
  action: string,
  input: object,
  { change = {}, timeMs = Date.now() }: { change?: Partial<SignableRequest>; timeMs?: number } = {},
): Promise<Reply> {
  const { id, secret } = typeof who === 'string' ? { id: ids[who], secret: keys[who] } : who;
  const request: SignableRequest = {
    method: 'POST',
    target: '/',
    headers: {
      host: `127.0.0.1:${server.port}`,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      'x-amzn-query-mode': 'true',
    },
    body: Buffer.from(JSON.stringify(input)),
  };
  const signature = signRequest(request, {
    accessKeyId: id,
    secret,
    region: 'us-east-1',
    service: 'sqs',
    timeMs,
  });
  return send(server, { ...request, headers: { ...request.headers, ...signature }, ...change });
}

async function send(server: SqsServer, { method, target, headers, body }: SignableRequest): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${server.port}${target}`, {
    method,
    headers: headers as { readonly [name: string]: string },
    ...(method === 'POST' && { body: new Uint8Array(body) }),
  });
  const text = await response.text();
  const [, inXml] = /<Code>(.*?)<\/Code>/.exec(text) ?? [];
  const code = response.headers.get('x-amzn-query-error')?.split(';')[0] ?? inXml ?? '';
  return { status: response.status, code, text };
}

const url = 'http://127.0.0.1/000000000000/orders';
const message = { QueueUrl: url, MessageBody: 'm' };

async function start(): Promise<SqsServer> {
  const server = await SqsServer.start({ users });
  assert.equal((await ask(server, 'root', 'CreateQueue', { QueueName: 'orders' })).status, 200);
  return server;
}

test('a request is that of the user whose key has signed it', async () => {
  await using server = await start();
  assert.equal((await ask(server, 'ada', 'SendMessage', message)).status, 200);
  assert.match((await ask(server, 'bob', 'ReceiveMessage', { QueueUrl: url })).text, /"Body":"m"/);
});

test('what is not signed rightly is refused', async () => {
  await using server = await start();
  const by = (who: Parameters<typeof ask>[1], options?: Parameters<typeof ask>[4]): Promise<Reply> =>
    ask(server, who, 'SendMessage', message, options);
  const cases: readonly [Promise<Reply>, number, string][] = [
    [by({ id: 'AKIAADA', secret: 'guess' }), 403, 'SignatureDoesNotMatch'],
    [by({ id: 'AKIANONE', secret: 'x' }), 403, 'InvalidClientTokenId'],
    [by({ id: 'AKIAOTHER', secret: 'x' }), 403, 'InvalidClientTokenId'],
    [by('ada', { change: { body: Buffer.from('{}') } }), 403, 'SignatureDoesNotMatch'],
    [by('ada', { timeMs: Date.now() - 16 * 60_000 }), 403, 'SignatureDoesNotMatch'],
    [by('ada', { timeMs: Date.now() - 14 * 60_000 }), 200, ''],
  ];
  for (const [reply, status, code] of cases) {
    const got = await reply;
    assert.deepEqual([got.status, got.code], [status, code], got.text);
  }
  const unsigned = await server.ask('SendMessage', message);
  assert.equal(unsigned.status, 403);
  assert.equal(unsigned.headers.get('x-amzn-query-error'), 'MissingAuthenticationToken;Sender');
});

test('a secret that was changed counts at once', async () => {
  const changing = new Users(parseUsers([{ name: 'ada', 'access-key': { id: 'K', secret: 'old' } }]));
  await using server = await SqsServer.start({ users: changing });
  const list = async (secret: string): Promise<number> =>
    (await ask(server, { id: 'K', secret }, 'ListQueues', {})).status;
  assert.deepEqual([await list('old'), await list('new')], [200, 403]);
  changing.configure(parseUsers([{ name: 'ada', 'access-key': { id: 'K', secret: 'new' } }]));
  assert.deepEqual([await list('old'), await list('new')], [403, 200]);
  // Without users, any will do.
  changing.configure([]);
  assert.deepEqual([await list('old'), (await server.ask('ListQueues')).status], [200, 200]);
});

test('a presigned URL is as good as a signature', async () => {
  await using server = await start();
  const headers = { host: `127.0.0.1:${server.port}` };
  const request = {
    method: 'GET',
    target: '/000000000000/orders?Action=SendMessage&MessageBody=hi',
    headers,
    body: Buffer.alloc(0),
  };
  const options = {
    accessKeyId: ids.ada,
    secret: keys.ada,
    region: 'us-east-1',
    service: 'sqs',
    expiresS: 60,
  };
  const target = presignTarget(request, { ...options, timeMs: Date.now() });
  assert.equal((await send(server, { ...request, target })).status, 200);
  const late = presignTarget(request, { ...options, timeMs: Date.now() - 120_000 });
  assert.equal((await send(server, { ...request, target: late })).code, 'RequestExpired');
});

test('an operation needs a permission on its queue', async () => {
  await using server = await start();
  const cases: readonly [Name, string, object, boolean][] = [
    ['ada', 'SendMessage', message, true],
    ['ada', 'SendMessageBatch', { QueueUrl: url, Entries: [{ Id: 'a', MessageBody: 'b' }] }, true],
    ['ada', 'ReceiveMessage', { QueueUrl: url }, false],
    ['ada', 'GetQueueAttributes', { QueueUrl: url }, true],
    ['ada', 'PurgeQueue', { QueueUrl: url }, false],
    ['ada', 'DeleteQueue', { QueueUrl: url }, false],
    ['ada', 'CreateQueue', { QueueName: 'elsewhere' }, false],
    ['ada', 'CreateQueue', { QueueName: 'events' }, true],
    ['bob', 'ReceiveMessage', { QueueUrl: url }, true],
    ['bob', 'SendMessage', message, false],
    ['bob', 'GetQueueUrl', { QueueName: 'events' }, false],
    // Messages would come by a detour to a queue that the caller may not send to.
    [
      'ada',
      'SetQueueAttributes',
      {
        QueueUrl: 'http://h/000000000000/events',
        Attributes: {
          RedrivePolicy:
            '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:secret","maxReceiveCount":1}',
        },
      },
      false,
    ],
  ];
  for (const [who, action, input, isAllowed] of cases) {
    const { status, code, text } = await ask(server, who, action, input);
    assert.deepEqual(
      [status, code],
      isAllowed ? [200, ''] : [403, 'AccessDenied'],
      `${who} ${action} ${text}`,
    );
  }
  const { text } = await ask(server, 'bob', 'SendMessage', message);
  assert.match(
    text,
    /"User: arn:aws:iam::000000000000:user\/bob is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:000000000000:orders because no identity-based policy allows the sqs:sendmessage action"/,
  );
});

test('a list shows what its caller may see', async () => {
  await using server = await start();
  await ask(server, 'root', 'CreateQueue', { QueueName: 'hidden' });
  assert.doesNotMatch((await ask(server, 'bob', 'ListQueues', {})).text, /hidden/);
  assert.match((await ask(server, 'bob', 'ListQueues', {})).text, /orders/);
  assert.match((await ask(server, 'root', 'ListQueues', {})).text, /hidden/);
});

test('the policy of a queue allows and denies', async () => {
  await using server = await start();
  const setPolicy = async (...statements: readonly object[]): Promise<void> => {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    const { status, text } = await ask(server, 'root', 'SetQueueAttributes', {
      QueueUrl: url,
      Attributes: { Policy },
    });
    assert.equal(status, 200, text);
  };
  const arn = 'arn:aws:sqs:us-east-1:000000000000:orders';
  const bob = { AWS: 'arn:aws:iam::000000000000:user/bob' };
  await setPolicy({ Effect: 'Allow', Principal: bob, Action: 'sqs:SendMessage', Resource: arn });
  assert.equal((await ask(server, 'bob', 'SendMessage', message)).status, 200);
  await setPolicy({
    Effect: 'Deny',
    Principal: '*',
    Action: 'sqs:SendMessage',
    Resource: arn,
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  });
  const refused = await ask(server, 'ada', 'SendMessage', message);
  assert.equal(refused.code, 'AccessDenied');
  assert.match(refused.text, /with an explicit deny in a resource-based policy/);
  assert.equal((await ask(server, 'bob', 'ReceiveMessage', { QueueUrl: url })).status, 200);
});

test('a move task moves nothing to a queue that its caller may not send to', async () => {
  await using server = await start();
  const SourceArn = 'arn:aws:sqs:us-east-1:000000000000:orders';
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 });
  const QueueUrl = 'http://127.0.0.1/000000000000/events';
  await ask(server, 'root', 'CreateQueue', { QueueName: 'events', Attributes: { RedrivePolicy } });
  await ask(server, 'root', 'SendMessage', { ...message, QueueUrl });
  await ask(server, 'root', 'ReceiveMessage', { QueueUrl, VisibilityTimeout: 1 });
  server.clock.advance(1_000);
  const orders = server.broker.topic('orders')!;
  await eventually(() => orders.count === 1);
  const ended = (status: string): Promise<unknown> =>
    eventually(async () =>
      (await ask(server, 'bob', 'ListMessageMoveTasks', { SourceArn })).text.includes(`"${status}"`),
    );
  assert.equal((await ask(server, 'bob', 'StartMessageMoveTask', { SourceArn })).status, 200);
  await ended('FAILED');
  assert.equal(orders.count, 1);
  assert.equal((await ask(server, 'root', 'StartMessageMoveTask', { SourceArn })).status, 200);
  await ended('COMPLETED');
  assert.equal(orders.count, 0);
});

test('topics of SNS have permissions by their names, and a subscription needs its queue', async () => {
  await using server = await start();
  const sns = (who: Name, fields: { readonly [name: string]: string }): Promise<Reply> => {
    const request: SignableRequest = {
      method: 'POST',
      target: '/',
      headers: { host: `127.0.0.1:${server.port}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(new URLSearchParams({ Version: '2010-03-31', ...fields }).toString()),
    };
    const options = {
      accessKeyId: ids[who],
      secret: keys[who],
      region: 'us-east-1',
      service: 'sns',
      timeMs: Date.now(),
    };
    return send(server, { ...request, headers: { ...request.headers, ...signRequest(request, options) } });
  };
  const topic = 'arn:aws:sns:us-east-1:000000000000:events';
  const queue = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`;
  const cases: readonly [Name, { readonly [name: string]: string }, boolean][] = [
    ['bob', { Action: 'CreateTopic', Name: 'events' }, false],
    ['ada', { Action: 'CreateTopic', Name: 'events' }, true],
    ['ada', { Action: 'Subscribe', TopicArn: topic, Protocol: 'sqs', Endpoint: queue('orders') }, true],
    ['ada', { Action: 'Subscribe', TopicArn: topic, Protocol: 'sqs', Endpoint: queue('secret') }, false],
    ['ada', { Action: 'Publish', TopicArn: topic, Message: 'm' }, true],
    ['bob', { Action: 'Publish', TopicArn: topic, Message: 'm' }, false],
    ['bob', { Action: 'GetTopicAttributes', TopicArn: topic }, false],
    ['root', { Action: 'Publish', TopicArn: topic, Message: 'm' }, true],
  ];
  for (const [who, fields, isAllowed] of cases) {
    const { status, code, text } = await sns(who, fields);
    assert.deepEqual(
      [status, code],
      isAllowed ? [200, ''] : [403, 'AuthorizationError'],
      `${who} ${fields['Action']} ${text}`,
    );
  }
  assert.doesNotMatch((await sns('bob', { Action: 'ListTopics' })).text, /events/);
});
