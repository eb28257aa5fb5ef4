import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqsServer } from '../sqs/sqs-kit.ts';
import { attributesIn, elements, entries, queueArn, SnsClient } from './sns-kit.ts';

const arn = (name: string): string => `arn:aws:sns:us-east-1:000000000000:${name}`;

test('a topic is created once, listed, and deleted with its subscriptions', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  assert.equal(await sns.topic('b'), arn('b'));
  assert.equal(await sns.topic('a', { DisplayName: 'A' }), arn('a'));
  assert.equal(await sns.topic('a'), arn('a'));
  assert.deepEqual(elements(await sns.call('ListTopics'), 'TopicArn'), [arn('a'), arn('b')]);
  await server.queue('q');
  const subscription = await sns.subscribe(arn('a'), 'q');
  await sns.call('DeleteTopic', { TopicArn: arn('a') });
  await sns.call('DeleteTopic', { TopicArn: arn('a') });
  assert.deepEqual(elements(await sns.call('ListTopics'), 'TopicArn'), [arn('b')]);
  assert.equal(
    await sns.told('GetSubscriptionAttributes', { SubscriptionArn: subscription }),
    '404 NotFound: Subscription does not exist',
  );
  await sns.topic('a');
  assert.deepEqual(elements(await sns.call('ListSubscriptions'), 'SubscriptionArn'), []);
});

test('topics, attributes, tags and subscriptions survive a restart', async () => {
  const first = await SqsServer.start();
  const sns = new SnsClient(first);
  const topic = await sns.topic('events', { DisplayName: 'Events' });
  await sns.call('TagResource', {
    ResourceArn: topic,
    'Tags.member.1.Key': 'team',
    'Tags.member.1.Value': 'x',
  });
  await first.queue('q');
  const policy = JSON.stringify({ a: ['x'] });
  const subscription = await sns.subscribe(topic, 'q', { FilterPolicy: policy });
  const gone = await sns.topic('gone');
  await sns.subscribe(gone, 'q');
  await sns.call('DeleteTopic', { TopicArn: gone });
  await using second = await first.restart();
  sns.server = second;
  assert.deepEqual(elements(await sns.call('ListTopics'), 'TopicArn'), [topic]);
  const attributes = attributesIn(await sns.call('GetTopicAttributes', { TopicArn: topic }));
  assert.equal(attributes['DisplayName'], 'Events');
  assert.equal(attributes['SubscriptionsConfirmed'], '1');
  assert.deepEqual(elements(await sns.call('ListTagsForResource', { ResourceArn: topic }), 'Key'), ['team']);
  const kept = attributesIn(await sns.call('GetSubscriptionAttributes', { SubscriptionArn: subscription }));
  assert.equal(kept['FilterPolicy'], policy);
  assert.equal(kept['FilterPolicyScope'], 'MessageAttributes');
  assert.deepEqual(await sns.envelopes(await second.queue('q')), []);
  await sns.publish(topic, 'hello');
  assert.deepEqual(await sns.envelopes(await second.queue('q')), []); // the filter is there, too
});

test('limits are settings', async () => {
  await using server = await SqsServer.start({
    snsLimits: { messageBytesMax: 1024, topicsMax: 2, subscriptionsMax: 1, filterPoliciesMax: 0 },
  });
  const sns = new SnsClient(server);
  const topic = await sns.topic('one');
  const other = await sns.topic('two');
  assert.match(await sns.told('CreateTopic', { Name: 'three' }), /^403 TopicLimitExceeded: /);
  for (const queue of ['a', 'b']) await server.queue(queue);
  await sns.subscribe(topic, 'a');
  const subscription = { TopicArn: topic, Protocol: 'sqs', Endpoint: queueArn('b') };
  assert.match(await sns.told('Subscribe', subscription), /^403 SubscriptionLimitExceeded: /);
  const filter = { 'Attributes.entry.1.key': 'FilterPolicy', 'Attributes.entry.1.value': '{"a":["b"]}' };
  const filtered = { ...subscription, TopicArn: other, ...filter };
  assert.match(await sns.told('Subscribe', filtered), /^403 FilterPolicyLimitExceeded: /);
  assert.equal(await sns.told('Publish', { TopicArn: topic, Message: 'x'.repeat(1024) }), '200');
  const refusal = await sns.told('Publish', { TopicArn: topic, Message: 'x'.repeat(1025) });
  assert.equal(refusal, '400 InvalidParameter: Invalid parameter: Message too long');
});

test('the attributes of a topic are shown, and changed', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events.fifo', { ContentBasedDeduplication: 'true' });
  const attributes = async (): Promise<{ readonly [name: string]: string }> =>
    attributesIn(await sns.call('GetTopicAttributes', { TopicArn: topic }));
  const { EffectiveDeliveryPolicy: _, Policy: policy, ...rest } = await attributes();
  assert.deepEqual(rest, {
    TopicArn: topic,
    Owner: '000000000000',
    DisplayName: '',
    SubscriptionsConfirmed: '0',
    SubscriptionsPending: '0',
    SubscriptionsDeleted: '0',
    FifoTopic: 'true',
    ContentBasedDeduplication: 'true',
    FifoThroughputScope: 'Topic',
  });
  assert.equal(JSON.parse(policy!).Statement[0].Resource, topic);
  const set = (name: string, value: string): Promise<string> =>
    sns.told('SetTopicAttributes', { TopicArn: topic, AttributeName: name, AttributeValue: value });
  assert.equal(await set('DisplayName', 'New'), '200');
  assert.equal((await attributes())['DisplayName'], 'New');
  assert.equal(await set('DisplayName', ''), '200');
  assert.equal((await attributes())['DisplayName'], '');
  assert.equal(await set('Wine', 'x'), '400 InvalidParameter: Invalid parameter: AttributeName');
  assert.equal(await set('FifoTopic', 'false'), '400 InvalidParameter: Invalid parameter: AttributeName');
  assert.match(await set('ContentBasedDeduplication', 'x'), /^400 InvalidParameter: /);
  assert.match(await set('Policy', '{'), /^400 InvalidParameter: Invalid parameter: Policy Error: /);
});

test('a topic that is there already must be the same', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  await sns.topic('a', { DisplayName: 'A' });
  const create = (name: string, fields: { readonly [name: string]: string } = {}): Promise<string> =>
    sns.told('CreateTopic', { Name: name, ...fields });
  assert.equal(
    await create('a', entries('Attributes', { DisplayName: 'B' })),
    '400 InvalidParameter: Invalid parameter: Attributes Reason: Topic already exists with different attributes',
  );
  assert.equal(
    await create('a', { 'Tags.member.1.Key': 'k', 'Tags.member.1.Value': 'v' }),
    '400 InvalidParameter: Invalid parameter: Tags Reason: Topic already exists with different tags',
  );
  for (const name of ['a b', 'a.fifo', 'x'.repeat(257)])
    assert.equal(await create(name), '400 InvalidParameter: Invalid parameter: Topic Name', name);
  assert.match(await create('a', entries('Attributes', { FifoTopic: 'true' })), /must end with \.fifo/);
  assert.equal(await create('a-b_c'), '200');
});

test('tags are added, replaced and taken away', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('a');
  const tag = (key: string, value: string): Promise<string> =>
    sns.told('TagResource', { ResourceArn: topic, 'Tags.member.1.Key': key, 'Tags.member.1.Value': value });
  await tag('a', '1');
  await tag('b', '2');
  await tag('a', '3');
  assert.match(
    await sns.call('ListTagsForResource', { ResourceArn: topic }),
    /<member><Key>a<\/Key><Value>3<\/Value><\/member><member><Key>b<\/Key><Value>2<\/Value><\/member>/,
  );
  await sns.call('UntagResource', { ResourceArn: topic, 'TagKeys.member.1': 'a' });
  assert.deepEqual(elements(await sns.call('ListTagsForResource', { ResourceArn: topic }), 'Key'), ['b']);
  assert.match(await tag('x'.repeat(129), 'y'), /^400 InvalidParameter: /);
  for (let index = 0; index < 49; index++) await tag(`t${index}`, '');
  assert.match(await tag('one-more', ''), /^400 TagLimitExceeded: /);
  assert.equal(
    await sns.told('ListTagsForResource', { ResourceArn: arn('none') }),
    '404 ResourceNotFound: Resource does not exist',
  );
});

test('a list has pages of a hundred', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const names = Array.from({ length: 205 }, (_, index) => `t${String(index).padStart(3, '0')}`);
  for (const name of names) await sns.topic(name);
  const seen: string[] = [];
  const sizes: number[] = [];
  for (let token: string | undefined = ''; token !== undefined;) {
    const body: string = await sns.call('ListTopics', token === '' ? {} : { NextToken: token });
    const page = elements(body, 'TopicArn');
    sizes.push(page.length);
    seen.push(...page);
    [token] = elements(body, 'NextToken');
  }
  assert.deepEqual(sizes, [100, 100, 5]);
  assert.deepEqual(seen, names.map(arn));
  assert.equal(
    await sns.told('ListTopics', { NextToken: '!' }),
    '400 InvalidParameter: Invalid parameter: NextToken',
  );
});

test('subscriptions have pages of a hundred, over all topics', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const all: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    const topic = await sns.topic(name);
    const arns: string[] = [];
    for (let index = 0; index < 70; index++) arns.push(await sns.subscribe(topic, `q${index}`));
    all.push(...arns.sort());
  }
  const pages = async (action: string, fields: { readonly [name: string]: string }): Promise<string[][]> => {
    const found: string[][] = [];
    for (let token: string | undefined = ''; token !== undefined;) {
      const body: string = await sns.call(action, { ...fields, ...(token !== '' && { NextToken: token }) });
      found.push(elements(body, 'SubscriptionArn'));
      [token] = elements(body, 'NextToken');
    }
    return found;
  };
  const found = await pages('ListSubscriptions', {});
  assert.deepEqual(
    found.map((page) => page.length),
    [100, 100, 10],
  );
  assert.deepEqual(found.flat(), all);
  assert.deepEqual(await pages('ListSubscriptionsByTopic', { TopicArn: arn('b') }), [all.slice(70, 140)]);
});

test('permissions are statements of the policy', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('a');
  const fields = {
    TopicArn: topic,
    Label: 'l',
    'AWSAccountId.member.1': '111111111111',
    'ActionName.member.1': 'Publish',
  };
  const statements = async (): Promise<unknown[]> => {
    const { Policy: policy } = attributesIn(await sns.call('GetTopicAttributes', { TopicArn: topic }));
    return JSON.parse(policy!).Statement;
  };
  await sns.call('AddPermission', fields);
  assert.deepEqual((await statements())[1], {
    Sid: 'l',
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::111111111111:root' },
    Action: 'SNS:Publish',
    Resource: topic,
  });
  assert.match(await sns.told('AddPermission', fields), /Statement already exists/);
  assert.match(
    await sns.told('AddPermission', { ...fields, Label: 'm', 'ActionName.member.1': 'Drink' }),
    /out of service scope/,
  );
  await sns.call('RemovePermission', { TopicArn: topic, Label: 'l' });
  assert.equal((await statements()).length, 1);
});

test('a queue subscribes once, and to topics of its kind', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('a');
  const fifo = await sns.topic('a.fifo');
  await server.queue('q');
  const subscription = await sns.subscribe(topic, 'q', { RawMessageDelivery: 'true' });
  assert.match(subscription, new RegExp(`^${topic}:[0-9a-f-]{36}$`));
  assert.equal(await sns.subscribe(topic, 'q', { RawMessageDelivery: 'true' }), subscription);
  const told = (fields: { readonly [name: string]: string }): Promise<string> =>
    sns.told('Subscribe', { TopicArn: topic, Protocol: 'sqs', Endpoint: queueArn('r'), ...fields });
  const cases: readonly [{ readonly [name: string]: string }, string][] = [
    [
      { Endpoint: queueArn('q') },
      'Invalid parameter: Attributes Reason: Subscription already exists with different attributes',
    ],
    [{ Endpoint: 'http://x' }, 'Invalid parameter: SQS endpoint ARN'],
    [{ Endpoint: '' }, 'Invalid parameter: SQS endpoint ARN'],
    [
      { Endpoint: queueArn('r.fifo') },
      'Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics',
    ],
    [
      { Protocol: 'carrier-pigeon' },
      'Invalid parameter: Amazon SNS does not support this protocol string: carrier-pigeon',
    ],
    [
      { Protocol: 'http' },
      'Invalid parameter: Protocol Reason: This server delivers to queues: the protocol must be sqs',
    ],
    [entries('Attributes', { Wine: 'x' }), 'Invalid parameter: Attributes'],
    [
      entries('Attributes', { FilterPolicy: '{"a":[{"wine":1}]}' }),
      'Invalid parameter: FilterPolicy: Unrecognized match type wine',
    ],
    [
      entries('Attributes', { RedrivePolicy: '{"deadLetterTargetArn":"x"}' }),
      'Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn',
    ],
    [
      entries('Attributes', { RawMessageDelivery: 'maybe' }),
      'Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [maybe]. Must be true or false.',
    ],
  ];
  for (const [fields, message] of cases) assert.equal(await told(fields), `400 InvalidParameter: ${message}`);
  assert.equal(await told({ TopicArn: fifo }), '200');
  assert.equal(await told({ TopicArn: fifo, Endpoint: queueArn('r.fifo') }), '200');
  assert.equal(await told({ TopicArn: arn('none') }), '404 NotFound: Topic does not exist');
  assert.equal(
    await sns.told('ConfirmSubscription', { TopicArn: topic, Token: 't' }),
    '400 InvalidParameter: Invalid parameter: Token',
  );
});

test('subscriptions are listed, changed and ended', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const [a, b] = [await sns.topic('a'), await sns.topic('b')];
  const first = await sns.subscribe(a, 'q');
  const second = await sns.subscribe(b, 'q');
  assert.deepEqual(elements(await sns.call('ListSubscriptions'), 'SubscriptionArn'), [first, second]);
  const list = await sns.call('ListSubscriptionsByTopic', { TopicArn: a });
  assert.deepEqual(
    ['SubscriptionArn', 'Owner', 'Protocol', 'Endpoint', 'TopicArn'].map((name) => elements(list, name)),
    [[first], ['000000000000'], ['sqs'], [queueArn('q')], [a]],
  );
  const set = (name: string, value: string): Promise<string> =>
    sns.told('SetSubscriptionAttributes', {
      SubscriptionArn: first,
      AttributeName: name,
      AttributeValue: value,
    });
  assert.equal(await set('RawMessageDelivery', 'true'), '200');
  assert.equal(await set('FilterPolicyScope', 'MessageBody'), '200');
  assert.equal(await set('FilterPolicy', '{"a":{"b":["x"]}}'), '200');
  // The policy does not fit the other scope.
  assert.match(await set('FilterPolicyScope', 'MessageAttributes'), /does not support nested filter policy/);
  const { SubscriptionPrincipal: _, ...attributes } = attributesIn(
    await sns.call('GetSubscriptionAttributes', { SubscriptionArn: first }),
  );
  assert.deepEqual(attributes, {
    SubscriptionArn: first,
    TopicArn: a,
    Owner: '000000000000',
    Protocol: 'sqs',
    Endpoint: queueArn('q'),
    ConfirmationWasAuthenticated: 'true',
    PendingConfirmation: 'false',
    RawMessageDelivery: 'true',
    FilterPolicyScope: 'MessageBody',
    FilterPolicy: '{"a":{"b":["x"]}}',
  });
  assert.equal(await set('FilterPolicy', '{}'), '200');
  assert.equal(
    attributesIn(await sns.call('GetSubscriptionAttributes', { SubscriptionArn: first }))['FilterPolicy'],
    undefined,
  );
  assert.equal(await set('Wine', 'x'), '400 InvalidParameter: Invalid parameter: AttributeName');
  await sns.call('Unsubscribe', { SubscriptionArn: first });
  await sns.call('Unsubscribe', { SubscriptionArn: first });
  assert.deepEqual(elements(await sns.call('ListSubscriptions'), 'SubscriptionArn'), [second]);
  assert.match(
    await sns.told('Unsubscribe', { SubscriptionArn: 'x' }),
    /An ARN must have at least 6 elements/,
  );
});
