/** The AWS SDK's clients of SNS and SQS together: topics that fan out to queues. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uniqueName, useServer } from '../../support/index.ts';
import { type Output, skip, sqsAt, type SqsClient } from './clients.ts';
import { skipSns, snsAt, type SnsSdkClient } from './sns-clients.ts';

const region = 'eu-west-1';

describe('@aws-sdk/client-sns', { skip: skip || skipSns }, () => {
  const server = useServer();
  const clients = (): { readonly sns: SnsSdkClient; readonly sqs: SqsClient } => ({
    sns: snsAt(server().sqsPort, { region }),
    sqs: sqsAt(server().sqsPort, { region }),
  });

  /** Creates a queue; its URL and its ARN. */
  async function queue(
    sqs: SqsClient,
    name: string,
  ): Promise<{ readonly url: string; readonly arn: string }> {
    const Attributes = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
    const { QueueUrl: url } = await sqs['createQueue']!({ QueueName: name, Attributes });
    const { Attributes: { QueueArn: arn } = {} } = await sqs['getQueueAttributes']!({
      QueueUrl: url,
      AttributeNames: ['QueueArn'],
    });
    return { url, arn };
  }

  async function receive(sqs: SqsClient, url: string): Promise<Output[]> {
    const { Messages = [] } = await sqs['receiveMessage']!({
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    return Messages;
  }

  test('a publish reaches two queues, raw and in an envelope, through a filter', async () => {
    const { sns, sqs } = clients();
    const { TopicArn: topic } = await sns['createTopic']!({ Name: uniqueName('events') });
    const [all, red] = [await queue(sqs, uniqueName('all')), await queue(sqs, uniqueName('red'))];
    await sns['subscribe']!({ TopicArn: topic, Protocol: 'sqs', Endpoint: all.arn });
    await sns['subscribe']!({
      TopicArn: topic,
      Protocol: 'sqs',
      Endpoint: red.arn,
      Attributes: { RawMessageDelivery: 'true', FilterPolicy: JSON.stringify({ colour: ['red'] }) },
    });
    const publish = (colour: string): Promise<{ MessageId?: string | undefined }> =>
      sns['publish']!({
        TopicArn: topic,
        Message: `a "${colour}" one\r\n`,
        MessageAttributes: {
          colour: { DataType: 'String', StringValue: colour },
          bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
        },
      });
    const { MessageId: first } = await publish('red');
    await publish('blue');
    const envelopes = (await receive(sqs, all.url)).map(({ Body }) => JSON.parse(Body));
    assert.deepEqual(
      envelopes.map(({ Message }) => Message),
      ['a "red" one\r\n', 'a "blue" one\r\n'],
    );
    assert.equal(envelopes[0].MessageId, first);
    assert.equal(envelopes[0].TopicArn, topic);
    assert.deepEqual(envelopes[0].MessageAttributes.bytes, { Type: 'Binary', Value: 'AP8=' });
    const [raw, ...more] = await receive(sqs, red.url);
    assert.equal(more.length, 0);
    assert.equal(raw?.Body, 'a "red" one\r\n');
    assert.deepEqual(raw?.MessageAttributes?.['bytes']?.BinaryValue, new Uint8Array([0, 255]));
  });

  test('a batch is published to a FIFO topic in order', async () => {
    const { sns, sqs } = clients();
    const { TopicArn: topic } = await sns['createTopic']!({
      Name: `${uniqueName('events')}.fifo`,
      Attributes: { FifoTopic: 'true', ContentBasedDeduplication: 'true' },
    });
    const { url, arn } = await queue(sqs, `${uniqueName('jobs')}.fifo`);
    await sns['subscribe']!({
      TopicArn: topic,
      Protocol: 'sqs',
      Endpoint: arn,
      Attributes: { RawMessageDelivery: 'true' },
    });
    const entries = ['a', 'b', 'c', 'a'].map((Message, index) => ({
      Id: `id-${index}`,
      Message,
      MessageGroupId: 'g',
    }));
    const { Successful = [], Failed = [] } = await sns['publishBatch']!({
      TopicArn: topic,
      PublishBatchRequestEntries: entries,
    });
    assert.deepEqual(
      Successful.map(({ Id }: Output) => Id),
      ['id-0', 'id-1', 'id-2', 'id-3'],
    );
    assert.equal(Successful[3]?.MessageId, Successful[0]?.MessageId);
    assert.deepEqual(Failed, []);
    const messages = await receive(sqs, url);
    assert.deepEqual(
      messages.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]),
      [
        ['a', 'g'],
        ['b', 'g'],
        ['c', 'g'],
      ],
    );
  });

  test('topics, subscriptions, attributes and tags are managed', async () => {
    const { sns, sqs } = clients();
    const name = uniqueName('managed');
    const { TopicArn: topic } = await sns['createTopic']!({ Name: name, Tags: [{ Key: 'team', Value: '' }] });
    assert.equal(topic, `arn:aws:sns:eu-west-1:000000000000:${name}`);
    await sns['tagResource']!({ ResourceArn: topic, Tags: [{ Key: 'a', Value: 'b' }] });
    const { Tags: tags } = await sns['listTagsForResource']!({ ResourceArn: topic });
    assert.deepEqual(tags, [
      { Key: 'team', Value: '' },
      { Key: 'a', Value: 'b' },
    ]);
    const { Topics: topics = [] } = await sns['listTopics']!({});
    assert.ok(topics.some(({ TopicArn }: Output) => TopicArn === topic));
    const { arn } = await queue(sqs, uniqueName('q'));
    const { SubscriptionArn: subscription } = await sns['subscribe']!({
      TopicArn: topic,
      Protocol: 'sqs',
      Endpoint: arn,
      ReturnSubscriptionArn: true,
    });
    await sns['setSubscriptionAttributes']!({
      SubscriptionArn: subscription,
      AttributeName: 'RawMessageDelivery',
      AttributeValue: 'true',
    });
    const { Attributes: attributes } = await sns['getSubscriptionAttributes']!({
      SubscriptionArn: subscription,
    });
    assert.equal(attributes?.['RawMessageDelivery'], 'true');
    assert.equal(attributes?.['PendingConfirmation'], 'false');
    const { Subscriptions: listed = [] } = await sns['listSubscriptionsByTopic']!({ TopicArn: topic });
    assert.deepEqual(listed, [
      {
        SubscriptionArn: subscription,
        Owner: '000000000000',
        Protocol: 'sqs',
        Endpoint: arn,
        TopicArn: topic,
      },
    ]);
    await sns['unsubscribe']!({ SubscriptionArn: subscription });
    const { Attributes: ofTopic } = await sns['getTopicAttributes']!({ TopicArn: topic });
    assert.equal(ofTopic?.['SubscriptionsConfirmed'], '0');
    await sns['deleteTopic']!({ TopicArn: topic });
    await assert.rejects(sns['publish']!({ TopicArn: topic, Message: 'm' }), { name: 'NotFoundException' });
  });
});
