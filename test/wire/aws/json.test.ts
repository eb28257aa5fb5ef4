import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AwsError,
  jsonRefusal,
  jsonReply,
  readJson,
  readTarget,
  sqsOperations,
  writeJson,
} from '../../../src/wire/aws/index.ts';

const { CreateQueue, ReceiveMessage, SendMessage, SendMessageBatch } = sqsOperations;

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Asserts that reading throws an AwsError, and returns it. */
function refused(read: () => unknown): AwsError {
  let refusal: unknown;
  assert.throws(read, (error) => {
    refusal = error;
    return error instanceof AwsError;
  });
  return refusal as AwsError;
}

test('the target names the operation', () => {
  assert.equal(readTarget('AmazonSQS.SendMessage'), 'SendMessage');
  for (const target of [undefined, '', 'SendMessage', 'AmazonSQS.', 'AmazonSQS.Foo', 'AmazonSQS.toString']) {
    const error = refused(() => readTarget(target));
    assert.equal(error.code(), 'InvalidAction');
    assert.equal(error.type, 'com.amazon.coral.service#UnknownOperationException');
  }
});

test('a request is read by its shape: maps, blobs, and nothing that is unknown', () => {
  const input = readJson(
    SendMessage,
    json({
      QueueUrl: 'http://localhost/1/q',
      MessageBody: 'hi',
      DelaySeconds: 0,
      MessageAttributes: {
        a: { DataType: 'Binary', BinaryValue: 'AAEC' },
        // An own property of the request, as any other name.
        ['__proto__']: { DataType: 'String', StringValue: 's' },
      },
      MessageGroupId: null,
      Elsewhere: [[1]],
    }),
  );
  assert.deepEqual(input, {
    QueueUrl: 'http://localhost/1/q',
    MessageBody: 'hi',
    DelaySeconds: 0,
    MessageAttributes: new Map([
      ['a', { DataType: 'Binary', BinaryValue: Buffer.from([0, 1, 2]) }],
      ['__proto__', { DataType: 'String', StringValue: 's' }],
    ]),
  });
});

test('a queue may come from the path', () => {
  const defaults = { QueueUrl: 'http://localhost/1/q' };
  assert.deepEqual(readJson(ReceiveMessage, Buffer.alloc(0), defaults), defaults);
  const body = json({ QueueUrl: 'http://localhost/1/other' });
  assert.deepEqual(readJson(ReceiveMessage, body, defaults), { QueueUrl: 'http://localhost/1/other' });
});

test('a wrong type is told as SQS tells it', () => {
  const cases: readonly [body: unknown, message: string][] = [
    [{ DelaySeconds: '1' }, 'STRING_VALUE can not be converted to an Integer'],
    [{ DelaySeconds: 1.5 }, 'DECIMAL_VALUE can not be converted to an Integer'],
    [{ DelaySeconds: 2 ** 31 }, 'NUMBER_VALUE can not be converted to an Integer'],
    [{ MessageBody: 1 }, 'NUMBER_VALUE can not be converted to a String'],
    [{ MessageBody: true }, 'TRUE_VALUE can not be converted to a String'],
    [{ MessageBody: {} }, 'Start of structure or map found where not expected.'],
    [{ MessageAttributes: [] }, 'Start of list found where not expected'],
    [{ MessageAttributes: { a: 1 } }, 'NUMBER_VALUE can not be converted to a Structure'],
    [
      { MessageAttributes: { a: { DataType: 'Binary', BinaryValue: 'a b' } } },
      'only base-64-encoded strings are convertible to bytes',
    ],
  ];
  for (const [body, message] of cases) {
    const error = refused(() => readJson(SendMessage, json({ QueueUrl: 'q', ...(body as object) })));
    assert.equal(error.message, message);
    assert.equal(error.code(), 'MalformedInput');
    assert.equal(error.type, 'com.amazon.coral.service#SerializationException');
    assert.equal(error.status, 400);
  }
});

test('what is no JSON, no structure or nested too deeply is refused', () => {
  const bodies = ['{', '[]', '1', 'null', '"\u00ff"', `{"a":${'['.repeat(1000)}`];
  for (const body of [...bodies.map((text) => Buffer.from(text)), Buffer.from([0x22, 0xff, 0x22])])
    assert.equal(refused(() => readJson(SendMessage, body)).code(), 'MalformedInput', body.toString());
});

test('required members must be there, and not empty', () => {
  const cases: readonly [body: unknown, message: string][] = [
    [{}, 'The request must contain the parameter QueueUrl.'],
    [{ QueueUrl: 'q' }, 'The request must contain the parameter MessageBody.'],
    [{ QueueUrl: 'q', MessageBody: '' }, 'The request must contain the parameter MessageBody.'],
    [
      { QueueUrl: 'q', MessageBody: 'b', MessageAttributes: { a: {} } },
      'The request must contain the parameter MessageAttribute.1.Value.DataType.',
    ],
  ];
  for (const [body, message] of cases) {
    const error = refused(() => readJson(SendMessage, json(body)));
    assert.equal(error.message, message);
    assert.equal(error.code(), 'MissingParameter');
    assert.equal(error.type, 'com.amazon.coral.service#MissingRequiredParameterException');
  }
});

test('a batch without entries is an error of its own', () => {
  for (const body of [{ QueueUrl: 'q' }, { QueueUrl: 'q', Entries: [] }]) {
    const error = refused(() => readJson(SendMessageBatch, json(body)));
    assert.equal(error.code(), 'AWS.SimpleQueueService.EmptyBatchRequest');
    assert.equal(error.message, 'There should be at least one SendMessageBatchRequestEntry in the request.');
  }
  const body = json({ QueueUrl: 'q', Entries: [{ Id: 'a', MessageBody: 'b' }, { Id: 'c' }] });
  assert.equal(
    refused(() => readJson(SendMessageBatch, body)).message,
    'The request must contain the parameter SendMessageBatchRequestEntry.2.MessageBody.',
  );
});

test('the tags of a new queue have a small t', () => {
  const body = json({ QueueName: 'q', tags: { a: 'b' }, Attributes: { DelaySeconds: '1' } });
  assert.deepEqual(readJson(CreateQueue, body), {
    QueueName: 'q',
    tags: new Map([['a', 'b']]),
    Attributes: new Map([['DelaySeconds', '1']]),
  });
});

test('what is empty is left out of an answer', () => {
  assert.equal(writeJson(ReceiveMessage, { Messages: [] }), '{}');
  assert.equal(
    writeJson(SendMessageBatch, { Successful: [], Failed: [{ Id: 'a', SenderFault: true, Code: 'x' }] }),
    '{"Failed":[{"Id":"a","SenderFault":true,"Code":"x"}]}',
  );
  assert.deepEqual(jsonReply(sqsOperations.DeleteMessage, {}, 'r-1'), {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r-1' },
    body: '',
  });
});

test('a message is written with its attributes, and bytes as base64', () => {
  const text = writeJson(ReceiveMessage, {
    Messages: [
      {
        MessageId: 'm',
        Body: 'b',
        Attributes: new Map([['SenderId', 's']]),
        MessageAttributes: new Map([
          ['a', { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]).subarray(1) }],
        ]),
      },
    ],
  });
  assert.equal(
    text,
    '{"Messages":[{"MessageId":"m","Body":"b","Attributes":{"SenderId":"s"},"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AgM="}}}]}',
  );
});

test('an error has its shape in the body and its code in the header', () => {
  assert.deepEqual(jsonRefusal(new AwsError('QueueDoesNotExist'), 'r-1', true), {
    status: 400,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': 'r-1',
      'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender',
    },
    body: '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}',
  });
});

test('the status of Query is for clients that came from Query', () => {
  const invalid = new AwsError('ReceiptHandleIsInvalid', 'x');
  assert.equal(jsonRefusal(invalid, 'r', true).status, 404);
  assert.equal(jsonRefusal(invalid, 'r', false).status, 400);
  assert.equal(jsonRefusal(new AwsError('SignatureDoesNotMatch', 'x'), 'r', false).status, 403);
  const failure = new AwsError('InternalFailure', 'x');
  assert.equal(jsonRefusal(failure, 'r', false).status, 500);
  assert.equal(jsonRefusal(failure, 'r', false).headers['x-amzn-query-error'], 'InternalFailure;Receiver');
});
