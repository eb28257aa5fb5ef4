import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AwsError,
  Form,
  limits,
  readAction,
  readForm,
  snsOperations,
  sqsOperations,
} from '../../../src/wire/aws/index.ts';

function form(text: string): Form {
  return Form.read(Buffer.from(text));
}

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof AwsError) return error.code();
    throw error;
  }
  throw new assert.AssertionError({ message: 'Nothing was refused.' });
}

test('a field has a name, a value, and the encoding of forms', () => {
  const read = form('a=b+c%20d&empty=&bare&=nameless&&x=%C3%A9=%26&é=ü');
  assert.equal(read.get('a'), 'b c d');
  assert.equal(read.get('empty'), '');
  assert.equal(read.get('bare'), '');
  assert.equal(read.get('x'), 'é=&');
  assert.equal(read.get('é'), 'ü');
  assert.equal(read.get('missing'), undefined);
  assert.equal(read.get('__proto__'), undefined);
});

test('what is not UTF-8 with escapes is refused', () => {
  for (const text of ['a=%', 'a=%zz', 'a=%ff', '%c3=a'])
    assert.equal(
      codeOf(() => form(text)),
      'MalformedInput',
    );
  assert.equal(
    codeOf(() => Form.read(Buffer.from([0x61, 0x3d, 0xff]))),
    'MalformedInput',
  );
});

test('a form may have so many fields and no more', () => {
  const fields = Array.from({ length: limits.formFieldsMax }, (_, index) => `Attribute.${index}.Name=a`);
  form(fields.join('&'));
  assert.equal(
    codeOf(() => form([...fields, 'a=b'].join('&'))),
    'MalformedInput',
  );
});

test('the action names the operation, and the version its service', () => {
  assert.equal(readAction(form('Action=SendMessage&Version=2012-11-05')), sqsOperations.SendMessage);
  assert.equal(readAction(form('Action=Publish')), snsOperations.Publish);
  assert.equal(readAction(form('Action=AddPermission')), sqsOperations.AddPermission);
  assert.equal(readAction(form('Action=AddPermission&Version=2010-03-31')), snsOperations.AddPermission);
  assert.equal(
    codeOf(() => readAction(form('Version=2012-11-05'))),
    'MissingAction',
  );
  assert.equal(
    codeOf(() => readAction(form('Action=Publish&Version=2012-11-05'))),
    'InvalidAction',
  );
  for (const name of ['Foo', 'toString', '__proto__'])
    assert.equal(
      codeOf(() => readAction(form(`Action=${name}`))),
      'InvalidAction',
    );
  assert.equal(
    codeOf(() => readAction(form('Action=SendMessage&Version=2010-03-31'))),
    'InvalidAction',
  );
});

test('lists and maps of SQS are flattened', () => {
  assert.deepEqual(
    readForm(
      sqsOperations.CreateQueue,
      form(
        'QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=3&Attribute.2.Name=Policy&Attribute.2.Value=&Tag.1.Key=k&Tag.1.Value=v',
      ),
    ),
    {
      QueueName: 'q',
      Attributes: new Map([
        ['DelaySeconds', '3'],
        ['Policy', ''],
      ]),
      tags: new Map([['k', 'v']]),
    },
  );
  assert.deepEqual(
    readForm(sqsOperations.GetQueueAttributes, form('QueueUrl=u&AttributeName.2=b&AttributeName.1=a')),
    { QueueUrl: 'u', AttributeNames: ['a', 'b'] },
  );
  assert.deepEqual(readForm(sqsOperations.GetQueueAttributes, form('QueueUrl=u&AttributeName=All')), {
    QueueUrl: 'u',
    AttributeNames: ['All'],
  });
});

test('the lists and maps of SNS have members and entries', () => {
  assert.deepEqual(
    readForm(
      snsOperations.CreateTopic,
      form(
        'Name=t&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true&Tags.member.1.Key=a&Tags.member.1.Value=b',
      ),
    ),
    { Name: 't', Attributes: new Map([['FifoTopic', 'true']]), Tags: [{ Key: 'a', Value: 'b' }] },
  );
  assert.deepEqual(readForm(snsOperations.CreateTopic, form('Name=t&Tags=')), { Name: 't', Tags: [] });
  assert.deepEqual(
    readForm(
      snsOperations.Publish,
      form(
        'Message=m&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=Binary&MessageAttributes.entry.1.Value.BinaryValue=AAEC',
      ),
    ),
    {
      Message: 'm',
      MessageAttributes: new Map([['a', { DataType: 'Binary', BinaryValue: Buffer.from([0, 1, 2]) }]]),
    },
  );
});

test('a batch is a list of structures with maps', () => {
  const entry = 'SendMessageBatchRequestEntry';
  assert.deepEqual(
    readForm(
      sqsOperations.SendMessageBatch,
      form(
        [
          `${entry}.1.Id=a&${entry}.1.MessageBody=x&${entry}.1.DelaySeconds=4`,
          `${entry}.2.Id=b&${entry}.2.MessageBody=y`,
          `${entry}.2.MessageAttribute.1.Name=n&${entry}.2.MessageAttribute.1.Value.DataType=String`,
          `${entry}.2.MessageAttribute.1.Value.StringValue=s`,
        ].join('&'),
      ),
      { QueueUrl: 'http://localhost/1/q' },
    ),
    {
      QueueUrl: 'http://localhost/1/q',
      Entries: [
        { Id: 'a', MessageBody: 'x', DelaySeconds: 4 },
        {
          Id: 'b',
          MessageBody: 'y',
          MessageAttributes: new Map([['n', { DataType: 'String', StringValue: 's' }]]),
        },
      ],
    },
  );
});

test('an index of any size orders, and costs nothing', () => {
  const text = 'QueueUrl=u&TagKey.999999999=z&TagKey.3=b&TagKey.0=a&TagKey.x=no&TagKey.1e3=no';
  assert.deepEqual(readForm(sqsOperations.UntagQueue, form(text)).TagKeys, ['a', 'b', 'z']);
});

test('required members and types are checked as in JSON', () => {
  const receive = (text: string): unknown => readForm(sqsOperations.ReceiveMessage, form(text));
  assert.equal(
    codeOf(() => receive('')),
    'MissingParameter',
  );
  assert.equal(
    codeOf(() => receive('QueueUrl=')),
    'MissingParameter',
  );
  for (const value of ['x', '1.5', '1e1', '4294967296', ' 1', ''])
    assert.equal(
      codeOf(() => receive(`QueueUrl=u&WaitTimeSeconds=${value}`)),
      'MalformedInput',
      value,
    );
  const subscribe = (text: string): unknown =>
    readForm(snsOperations.Subscribe, form(`TopicArn=t&Protocol=sqs&ReturnSubscriptionArn=${text}`));
  assert.equal(
    codeOf(() => subscribe('maybe')),
    'MalformedInput',
  );
  assert.throws(() => readForm(snsOperations.Publish, form('')), {
    message:
      "1 validation error detected: Value null at 'message' failed to satisfy constraint: Member must not be null",
  });
  assert.throws(() => readForm(sqsOperations.TagQueue, form('QueueUrl=u&Tag.1.Value=v')), AwsError);
  assert.throws(() => readForm(sqsOperations.DeleteMessageBatch, form('QueueUrl=u')), {
    message: 'There should be at least one DeleteMessageBatchRequestEntry in the request.',
  });
});
