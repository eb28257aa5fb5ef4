import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError, snsOperations, sqsOperations, xmlRefusal, xmlReply } from '../../../src/wire/aws/index.ts';

/** The body of an answer, after its prolog. */
function bodyOf({ body }: { readonly body: string }): string {
  return body.replace(/^<\?xml version="1.0"\?>/, '');
}

const ofSqs = 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"';
const ofSns = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"';
const metadata = '<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>';

test('lists and maps of SQS are flattened', () => {
  const reply = xmlReply(sqsOperations.ListQueues, { QueueUrls: ['a', 'b'], NextToken: 'n' }, 'r');
  assert.equal(
    bodyOf(reply),
    `<ListQueuesResponse ${ofSqs}><ListQueuesResult><QueueUrl>a</QueueUrl><QueueUrl>b</QueueUrl><NextToken>n</NextToken></ListQueuesResult>${metadata}</ListQueuesResponse>`,
  );
  assert.equal(reply.status, 200);
  assert.deepEqual(reply.headers, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r' });
  assert.equal(
    bodyOf(xmlReply(sqsOperations.GetQueueAttributes, { Attributes: new Map([['a', '1']]) }, 'r')),
    `<GetQueueAttributesResponse ${ofSqs}><GetQueueAttributesResult><Attribute><Name>a</Name><Value>1</Value></Attribute></GetQueueAttributesResult>${metadata}</GetQueueAttributesResponse>`,
  );
});

test('a message has its attributes', () => {
  const Messages = [
    {
      MessageId: 'm',
      Body: 'b',
      Attributes: new Map([['SenderId', 's']]),
      MessageAttributes: new Map([['n', { DataType: 'Binary', BinaryValue: Buffer.from([1]) }]]),
    },
  ];
  assert.equal(
    bodyOf(xmlReply(sqsOperations.ReceiveMessage, { Messages }, 'r')),
    `<ReceiveMessageResponse ${ofSqs}><ReceiveMessageResult><Message><MessageId>m</MessageId><Body>b</Body><Attribute><Name>SenderId</Name><Value>s</Value></Attribute><MessageAttribute><Name>n</Name><Value><DataType>Binary</DataType><BinaryValue>AQ==</BinaryValue></Value></MessageAttribute></Message></ReceiveMessageResult>${metadata}</ReceiveMessageResponse>`,
  );
});

test('an empty result is an element, and no output is none', () => {
  assert.equal(
    bodyOf(xmlReply(sqsOperations.ReceiveMessage, {}, 'r')),
    `<ReceiveMessageResponse ${ofSqs}><ReceiveMessageResult/>${metadata}</ReceiveMessageResponse>`,
  );
  assert.equal(
    bodyOf(xmlReply(sqsOperations.DeleteMessage, {}, 'r')),
    `<DeleteMessageResponse ${ofSqs}>${metadata}</DeleteMessageResponse>`,
  );
});

test('the lists and maps of SNS have members and entries', () => {
  assert.equal(
    xmlReply(snsOperations.ListTopics, { Topics: [{ TopicArn: 'a' }] }, 'r').body,
    `<ListTopicsResponse ${ofSns}><ListTopicsResult><Topics><member><TopicArn>a</TopicArn></member></Topics></ListTopicsResult>${metadata}</ListTopicsResponse>`,
  );
  assert.equal(
    xmlReply(snsOperations.GetTopicAttributes, { Attributes: new Map([['a', '1']]) }, 'r').body,
    `<GetTopicAttributesResponse ${ofSns}><GetTopicAttributesResult><Attributes><entry><key>a</key><value>1</value></entry></Attributes></GetTopicAttributesResult>${metadata}</GetTopicAttributesResponse>`,
  );
});

test('text is escaped as SQS does, and what XML cannot have is replaced', () => {
  const Messages = [{ Body: `<a b="c" d='e'>\r\n\t&\u{1f600}\0\ud800</a>` }];
  assert.match(
    xmlReply(sqsOperations.ReceiveMessage, { Messages }, 'r').body,
    /<Body>&lt;a b=&quot;c&quot; d='e'&gt;&#xD;\n\t&amp;\u{1f600}\ufffd\ufffd&lt;\/a&gt;<\/Body>/u,
  );
});

test('an error of SQS has a detail, and its own text in Query', () => {
  const refusal = xmlRefusal(new AwsError('QueueDoesNotExist'), 'r', 'sqs');
  assert.equal(refusal.status, 400);
  assert.equal(
    bodyOf(refusal),
    `<ErrorResponse ${ofSqs}><Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error><RequestId>r</RequestId></ErrorResponse>`,
  );
});

test('an error of SNS has a code without prefix', () => {
  const refusal = xmlRefusal(new AwsError('EmptyBatchRequest', 'a < b'), 'r', 'sns');
  assert.equal(
    refusal.body,
    `<ErrorResponse ${ofSns}><Error><Type>Sender</Type><Code>EmptyBatchRequest</Code><Message>a &lt; b</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  );
  assert.match(xmlRefusal(new AwsError('InternalFailure', 'x'), 'r', 'sns').body, /<Type>Receiver<\/Type>/);
});
