import assert from 'node:assert/strict';
import {
  AwsError,
  FilterError,
  FilterInput,
  FilterPolicy,
  Form,
  jsonReply,
  parsePolicy,
  PolicyError,
  readAction,
  readClaim,
  readForm,
  readJson,
  SignatureVerifier,
  type SignableRequest,
  signRequest,
  snsOperations,
  sqsOperations,
  xmlReply,
} from '../../../src/wire/aws/index.ts';
import type { Target } from '../target.ts';

/** Runs what may refuse its input, with one of these errors; undefined: it has. */
function unlessRefused<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof AwsError || error instanceof FilterError || error instanceof PolicyError)
      return undefined;
    throw error;
  }
}

const { CreateQueue, SendMessage, SendMessageBatch, ReceiveMessage } = sqsOperations;
const attribute = { a: { DataType: 'Binary', BinaryValue: 'AAEC' } };

/** Bodies of requests in AWS JSON; what is read as a message is written, as JSON and as XML. */
export const awsJson: Target = {
  name: 'aws-json',
  words: [
    '"QueueUrl":"q"',
    '"MessageBody":',
    '"Entries":[{"Id":',
    'null',
    '1e999',
    '"__proto__":',
    '[[',
    '\\ud800',
  ],
  seeds: () =>
    [
      { QueueUrl: 'q', MessageBody: 'b', MessageAttributes: attribute, DelaySeconds: 1 },
      { QueueUrl: 'q', Entries: [{ Id: 'a', MessageBody: 'b', MessageAttributes: attribute }] },
      { QueueName: 'q', tags: { a: 'b' }, Attributes: { Policy: '{}' } },
    ].map((body) => Buffer.from(JSON.stringify(body))),
  prepare: () => (input) => {
    unlessRefused(() => readJson(SendMessageBatch, input));
    unlessRefused(() => readJson(CreateQueue, input));
    const message = unlessRefused(() => readJson(SendMessage, input));
    if (!message) return;
    const { MessageBody: Body, MessageAttributes } = message;
    const output = { Messages: [{ Body, MessageAttributes }] };
    const { body } = jsonReply(ReceiveMessage, output, 'r');
    const [read] = (JSON.parse(body) as { readonly Messages: readonly { readonly Body: string }[] }).Messages;
    assert.equal(read?.Body, Body);
    wellFormed(xmlReply(ReceiveMessage, output, 'r').body);
  },
};

/** Tags are closed in order, and nothing else has brackets. */
function wellFormed(xml: string): void {
  const open: string[] = [];
  const text = xml
    .replace(/^<\?xml version="1.0"\?>/, '')
    .replaceAll(/<(\/?)(\w+)(?: xmlns="[^"]*")?(\/?)>/g, (_, slash: string, name: string, empty: string) => {
      if (slash !== '') assert.equal(open.pop(), name);
      else if (empty === '') open.push(name);
      return '';
    });
  assert.deepEqual(open, []);
  assert.doesNotMatch(text, /[<>"\r]|&(?!(amp|lt|gt|quot|#xD);)/);
}

/** Forms of Query, of SQS and SNS. */
export const awsForm: Target = {
  name: 'aws-form',
  words: [
    'Action=',
    '&',
    '=',
    '.1.',
    '.999999999',
    '.entry.1.key',
    '.member.1',
    '%C3',
    '+',
    'Version=2010-03-31',
  ],
  seeds: () =>
    [
      'Action=SendMessage&QueueUrl=q&MessageBody=b&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String',
      'Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=b',
      'Action=CreateTopic&Name=t&Attributes.entry.1.key=a&Attributes.entry.1.value=b&Tags.member.1.Key=a&Tags.member.1.Value=',
      'Action=GetQueueAttributes&QueueUrl=q&AttributeName=All&AttributeName.3=x',
    ].map((text) => Buffer.from(text)),
  prepare: () => (input) => {
    const form = unlessRefused(() => Form.read(input));
    if (!form) return;
    const operation = unlessRefused(() => readAction(form));
    if (operation) unlessRefused(() => readForm(operation, form));
    unlessRefused(() => readForm(SendMessageBatch, form));
    unlessRefused(() => readForm(snsOperations.Publish, form));
  },
};

const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const timeMs = Date.UTC(2026, 11, 1);

/** Requests with a header `Authorization` or a signed target: none but the true one is accepted. */
export const awsSignature: Target = {
  name: 'aws-signature',
  words: [
    'AWS4-HMAC-SHA256 ',
    'Credential=',
    'SignedHeaders=',
    'Signature=',
    'X-Amz-',
    '/aws4_request',
    '%2F',
    ';',
  ],
  seeds: () => [
    Buffer.from(genuine().authorization),
    Buffer.from(
      '?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20261201%2Fr%2Fsqs%2Faws4_request&X-Amz-Date=20261201T000000Z&X-Amz-Expires=9&X-Amz-SignedHeaders=host&X-Amz-Signature=0',
    ),
  ],
  prepare: () => {
    const verifier = new SignatureVerifier();
    const { authorization: good } = genuine();
    return (input) => {
      const text = input.toString('latin1');
      const headers = { host: 'h', 'x-amz-date': '20261201T000000Z' };
      for (const request of [
        { ...unsigned, headers: { ...headers, authorization: text } },
        { ...unsigned, target: `/${text}`, headers },
      ]) {
        unlessRefused(() => readClaim(request));
        const options = { secretOf: () => secret, nowMs: timeMs, services: ['sqs'] as const };
        const credential = unlessRefused(() => verifier.verify(request, options));
        if (credential) assert.equal(partsOf(text), partsOf(good));
      }
    };
  },
};

const unsigned: SignableRequest = {
  method: 'GET',
  target: '/',
  headers: { host: 'h' },
  body: Buffer.alloc(0),
};

function genuine(): { readonly authorization: string } {
  return signRequest(unsigned, { accessKeyId: 'a', secret, region: 'r', service: 'sqs', timeMs });
}

/** What a header says, however it is spaced and ordered; other parts mean nothing. */
function partsOf(text: string): string {
  const parts = new Map<string, string>();
  for (const part of text.slice(text.indexOf(' ') + 1).split(',')) {
    const equals = part.indexOf('=');
    parts.set(part.slice(0, Math.max(0, equals)).trim(), part.slice(equals + 1).trim());
  }
  return [parts.get('Signature'), parts.get('SignedHeaders')?.toLowerCase()].join(' ');
}

/** Filter policies and access policies, and a message that the former are asked about. */
export const awsPolicies: Target = {
  name: 'aws-policies',
  words: [
    '{"prefix":',
    '{"anything-but":',
    '{"numeric":["<",',
    '"$or":[',
    '{"exists":',
    '{"wildcard":"*a*"',
    '"Statement":[',
    '"Principal":"*"',
  ],
  seeds: () =>
    [
      {
        a: [
          'x',
          1,
          null,
          { prefix: 'a' },
          { 'anything-but': { suffix: 'b' } },
          { numeric: ['>', 0, '<', 9] },
        ],
      },
      {
        a: { b: [{ exists: false }], c: [{ wildcard: '*a*' }] },
        $or: [{ d: [1] }, { e: [{ cidr: '10.0.0.0/8' }] }],
      },
      {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: '*' },
            Action: 'sqs:*',
            Resource: '*',
            Condition: { Bool: { a: true } },
          },
        ],
      },
    ].map((policy) => Buffer.from(JSON.stringify(policy))),
  prepare: () => (input) => {
    const text = input.toString('utf8');
    unlessRefused(() => parsePolicy(text));
    for (const scope of ['MessageAttributes', 'MessageBody'] as const) {
      const filter = unlessRefused(() => new FilterPolicy(text, scope));
      const attributes = new Map([
        ['a', { DataType: 'String', StringValue: 'a'.repeat(1000) }],
        ['b', { DataType: 'Number', StringValue: '5' }],
      ]);
      filter?.matches(new FilterInput(attributes, text));
      filter?.matches(new FilterInput(attributes, '{"a":[{"b":1,"c":"aaa"},{}],"d":1}'));
    }
  },
};
