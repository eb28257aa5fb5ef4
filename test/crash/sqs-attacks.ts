import type { Random } from '../../src/util/index.ts';
import { type Attack, type Target, stormToken } from './attack.ts';
import { floodedQueue } from './sqs-canary.ts';

const port = ({ sqsPort }: Target): number | undefined => sqsPort;
const url = `http://127.0.0.1/000000000000/${floodedQueue}`;

/** A request in AWS JSON. */
function json(action: string, input: object | string, headers = ''): string {
  const body = typeof input === 'string' ? input : JSON.stringify(input);
  return (
    `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.0\r\n` +
    `X-Amz-Target: AmazonSQS.${action}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

/** A request in Query. */
function form(body: string): string {
  return (
    `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

const session = Buffer.from(
  json('CreateQueue', { QueueName: 'sqs-mutated', Attributes: { VisibilityTimeout: '1' } }) +
    json('SendMessage', { QueueUrl: url, MessageBody: 'm' }) +
    form(`Action=SendMessage&Version=2012-11-05&QueueUrl=${encodeURIComponent(url)}&MessageBody=m`) +
    json('ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: 10 }) +
    form('Action=CreateTopic&Version=2010-03-31&Name=mutated'),
);

/** A session with some of its bytes changed, cut anywhere. */
function mutated(random: Random): Buffer {
  const bytes = Buffer.from(session);
  for (let count = random.int(6); count > 0; count--) bytes[random.int(bytes.length)] = random.int(256);
  return bytes.subarray(0, 1 + random.int(bytes.length));
}

const signature =
  `Authorization: AWS4-HMAC-SHA256 Credential=${stormToken}/20260101/us-east-1/sqs/aws4_request, ` +
  `SignedHeaders=${'host;'.repeat(500)}x-amz-date, Signature=${'0'.repeat(64)}\r\n`;

/** The attacks on SQS and SNS. */
export const sqsAttacks: readonly Attack[] = [
  {
    name: 'SQS: random bytes',
    connections: 8,
    port,
    begin: (line, random) => {
      line.send(Buffer.from(random.bytes(1 + random.int(5000))));
      line.closeAfter(random.int(500));
    },
  },
  {
    name: 'SQS: mutated requests',
    connections: 16,
    port,
    begin: (line, random) => {
      line.send(mutated(random));
      line.closeAfter(random.int(500));
    },
  },
  {
    name: 'SQS: broken JSON, deep JSON and deep arrays',
    connections: 8,
    port,
    begin: (line, random) => {
      const bodies = ['{"QueueUrl":', '{"a":'.repeat(20_000), '['.repeat(100_000), '"\\ud800"', 'null'];
      line.send(json('SendMessage', bodies[random.int(bodies.length)]!));
      line.closeAfter(500);
    },
  },
  {
    name: 'SQS: forms with thousands of members',
    connections: 4,
    port,
    begin: (line) => {
      const members = Array.from({ length: 20_000 }, (_, at) => `&AttributeName.${at}=All`).join('');
      line.send(form(`Action=GetQueueAttributes&Version=2012-11-05${members}`));
      line.closeAfter(2000);
    },
  },
  {
    name: 'SQS: forged receipt handles',
    connections: 8,
    port,
    begin: (line, random) => {
      const ReceiptHandle = Buffer.from(random.bytes(60)).toString('base64');
      const Entries = Array.from({ length: 10 }, (_, at) => ({ Id: String(at), ReceiptHandle }));
      const request = json('DeleteMessageBatch', { QueueUrl: url, Entries });
      line.send(request.repeat(20));
      line.closeAfter(1000);
    },
  },
  {
    name: 'SQS: signatures of five hundred headers',
    connections: 8,
    port,
    begin: (line) => {
      line.send(json('ListQueues', {}, signature).repeat(10));
      line.closeAfter(500);
    },
  },
  {
    name: 'SQS: half a body of 4 MiB',
    connections: 8,
    port,
    begin: (line) => {
      line.send(json('SendMessage', {}).replace(/Content-Length: \d+/, 'Content-Length: 4194304'));
      line.send(`{"MessageBody":"${'x'.repeat(500_000)}`);
      line.closeAfter(5000);
    },
  },
  {
    name: 'SQS: a body that is too large',
    connections: 2,
    port,
    begin: (line) => {
      line.send(json('SendMessage', {}).replace(/Content-Length: \d+/, 'Content-Length: 1099511627776'));
      line.flood(() => Buffer.alloc(16_384, 0x78));
    },
  },
  { name: 'SQS: silent', connections: 100, port, begin: () => {} },
  {
    name: 'SQS: a byte a second',
    connections: 20,
    port,
    begin: (line) => line.drip(session, 1, 1000),
  },
  {
    name: 'SQS: connect and leave',
    connections: 8,
    port,
    begin: (line) => {
      line.send(json('ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 20 }));
      line.closeAfter(5);
    },
  },
  {
    name: 'SQS: long polls of queues without messages',
    connections: 50,
    port,
    begin: (line) => {
      line.send(json('CreateQueue', { QueueName: 'sqs-empty' }));
      line.send(
        json('ReceiveMessage', { QueueUrl: url.replace(floodedQueue, 'sqs-empty'), WaitTimeSeconds: 20 }),
      );
      line.closeAfter(5000);
    },
  },
  {
    name: 'SQS: receives that never delete, answers unread',
    connections: 4,
    port,
    begin: (line) => {
      line.deaf();
      line.send(json('ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: 10 }).repeat(100));
      line.closeAfter(3000);
    },
  },
  {
    name: 'SQS: flood of sends',
    connections: 2,
    port,
    begin: (line) => {
      const sends = json('SendMessage', { QueueUrl: url, MessageBody: 'x'.repeat(500) }).repeat(50);
      line.flood(() => sends);
    },
  },
  {
    name: 'SQS: thousands of queues',
    connections: 1,
    port,
    begin: (line, random) => {
      for (let count = 200; count > 0; count--)
        line.send(json('CreateQueue', { QueueName: `sqs-many-${random.int(1000)}` }));
      line.closeAfter(3000);
    },
  },
  {
    name: 'SNS: topics, subscriptions and publishes',
    connections: 2,
    port,
    begin: (line, random) => {
      const topic = `arn:aws:sns:us-east-1:000000000000:storm-${random.int(10)}`;
      const endpoint = `arn:aws:sqs:us-east-1:000000000000:${floodedQueue}`;
      const version = '&Version=2010-03-31';
      line.send(form(`Action=CreateTopic${version}&Name=${topic.split(':').at(-1)}`));
      line.send(
        form(`Action=Subscribe${version}&TopicArn=${topic}&Protocol=sqs&Endpoint=${endpoint}`).repeat(20),
      );
      line.send(form(`Action=Publish${version}&TopicArn=${topic}&Message=m`).repeat(20));
      line.closeAfter(2000);
    },
  },
];
