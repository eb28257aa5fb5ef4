import assert from 'node:assert/strict';
import { Broker } from '../../../src/broker/index.ts';
import { MemoryFiles } from '../../../src/log/index.ts';
import { answer, Sns } from '../../../src/protocols/sns/index.ts';
import type { Caller } from '../../../src/protocols/sqs/caller.ts';
import { Sqs } from '../../../src/protocols/sqs/sqs.ts';
import { fullAccess } from '../../../src/protocols/users/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import {
  AwsError,
  Form,
  readAction,
  readForm,
  type SnsAction,
  xmlReply,
} from '../../../src/wire/aws/index.ts';
import type { Target } from '../target.ts';

const topic = 'arn:aws:sns:us-east-1:000000000000:t';
const fifo = `${topic}.fifo`;
const queue = 'arn:aws:sqs:us-east-1:000000000000:q';
const requestsPerBroker = 300;

const caller: Caller = {
  account: '000000000000',
  region: 'us-east-1',
  origin: 'http://localhost',
  user: null,
  access: fullAccess,
  address: '127.0.0.1',
  signal: AbortSignal.abort(),
};

interface Fixture {
  readonly broker: Broker;
  readonly sns: Sns;
  requests: number;
}

/** Two topics, one of them FIFO, with a queue that subscribes to both. */
async function makeFixture(): Promise<Fixture> {
  const broker = await Broker.open({ dir: '/data', files: new MemoryFiles(), clock: new VirtualClock() });
  const sqs = new Sqs(broker, 100);
  const sns = new Sns(sqs, () => {});
  await sqs.queues.create('q', new Map(), new Map());
  for (const text of [
    'Action=CreateTopic&Name=t',
    'Action=CreateTopic&Name=t.fifo&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true',
    `Action=Subscribe&TopicArn=${topic}&Protocol=sqs&Endpoint=${queue}`,
    `Action=Subscribe&TopicArn=${fifo}&Protocol=sqs&Endpoint=${queue}`,
  ])
    await ask(sns, text);
  return { broker, sns, requests: 0 };
}

/** Answers a form as the door does; an error that nobody has foreseen is thrown. */
async function ask(sns: Sns, source: string | Uint8Array): Promise<void> {
  try {
    const form = Form.read(source);
    const operation = readAction(form);
    if (operation.service !== 'sns') return;
    const input = readForm(operation, form);
    const output = await answer(sns, caller, operation.name as SnsAction, input);
    assert.match(xmlReply(operation, output, 'r').body, /Response>$/);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
}

/** Requests of SNS, line by line, to topics that are there and to whatever they make. */
export const snsOperations: Target = {
  name: 'sns-operations',
  words: [
    'Action=Publish&',
    'Action=Subscribe&',
    'Action=CreateTopic&',
    `TopicArn=${topic}&`,
    `TopicArn=${fifo}&`,
    'MessageGroupId=g&MessageDeduplicationId=d&',
    'Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value=',
    'AttributeName=Policy&AttributeValue=',
    'MessageStructure=json&Message={"default":"d"}&',
    '%00',
    '\n',
    ':',
  ],
  seeds: () =>
    [
      `Action=Publish&TopicArn=${topic}&Message=m&Subject=s&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=x`,
      `Action=Publish&TopicArn=${fifo}&Message=m&MessageGroupId=g&MessageDeduplicationId=d`,
      `Action=PublishBatch&TopicArn=${topic}&PublishBatchRequestEntries.member.1.Id=a&PublishBatchRequestEntries.member.1.Message=m`,
      `Action=Subscribe&TopicArn=${topic}&Protocol=sqs&Endpoint=${queue}2&Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value={"a":["x"]}&Attributes.entry.2.key=RedrivePolicy&Attributes.entry.2.value={"deadLetterTargetArn":"${queue}"}`,
      `Action=SetTopicAttributes&TopicArn=${topic}&AttributeName=Policy&AttributeValue={"Statement":[]}\nAction=AddPermission&Version=2010-03-31&TopicArn=${topic}&Label=l&AWSAccountId.member.1=000000000000&ActionName.member.1=Publish`,
      `Action=ListSubscriptions&NextToken=dCB4\nAction=ListTopics\nAction=GetTopicAttributes&TopicArn=${topic}\nAction=DeleteTopic&TopicArn=${topic}`,
      `Action=TagResource&ResourceArn=${topic}&Tags.member.1.Key=k&Tags.member.1.Value=v\nAction=ListTagsForResource&ResourceArn=${topic}`,
    ].map((text) => Buffer.from(text)),
  prepare: async () => {
    let fixture = await makeFixture();
    return async (input) => {
      if (fixture.requests++ === requestsPerBroker) {
        await fixture.broker.close();
        fixture = await makeFixture();
      }
      for (const line of input.toString('latin1').split('\n'))
        await ask(fixture.sns, Buffer.from(line, 'latin1'));
    };
  },
};
