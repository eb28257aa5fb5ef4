import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  evaluatePolicy,
  parseArn,
  parsePolicy,
  PolicyError,
  type PolicyRequest,
  type Verdict,
} from '../../../src/wire/aws/index.ts';
import { isInCidr, parseCidr } from '../../../src/wire/aws/cidr.ts';
import { Wildcard } from '../../../src/wire/aws/wildcard.ts';

const account = '123456789012';
const queue = `arn:aws:sqs:us-east-1:${account}:orders`;
const topic = `arn:aws:sns:us-east-1:${account}:events`;

function statement(changes: object = {}): object {
  return { Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: queue, ...changes };
}

/** The verdict of a policy on a SendMessage of the account's user ada. */
function verdict(statements: object | readonly object[], changes: Partial<PolicyRequest> = {}): Verdict {
  const policy = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  return evaluatePolicy(policy, {
    principal: { kind: 'account', account, arn: `arn:aws:iam::${account}:user/ada` },
    action: 'sqs:SendMessage',
    resource: queue,
    context: new Map(),
    ...changes,
  });
}

test('a statement is about actions and resources, with wildcards', () => {
  assert.equal(verdict(statement()), 'allow');
  assert.equal(verdict(statement({ Action: 'SQS:sendmessage' })), 'allow');
  assert.equal(verdict(statement({ Action: ['sqs:Receive*', 'sqs:Send*'] })), 'allow');
  assert.equal(verdict(statement({ Action: '*' })), 'allow');
  assert.equal(verdict(statement({ Action: 'sqs:ReceiveMessage' })), 'none');
  assert.equal(verdict(statement({ Action: undefined, NotAction: 'sqs:ReceiveMessage' })), 'allow');
  assert.equal(verdict(statement({ Resource: '*' })), 'allow');
  assert.equal(verdict(statement({ Resource: 'arn:aws:sqs:*:*:ord?rs' })), 'allow');
  assert.equal(verdict(statement({ Resource: queue.toUpperCase() })), 'none');
});

test('a statement is about principals', () => {
  const of = (Principal: unknown): Verdict => verdict(statement({ Principal }));
  assert.equal(of({ AWS: '*' }), 'allow');
  assert.equal(of({ AWS: account }), 'allow');
  assert.equal(of({ AWS: [`arn:aws:iam::${account}:root`] }), 'allow');
  assert.equal(of({ AWS: `arn:aws:iam::${account}:user/ada` }), 'allow');
  assert.equal(of({ AWS: `arn:aws:iam::${account}:user/bob` }), 'none');
  assert.equal(of({ AWS: '000000000000' }), 'none');
  assert.equal(of({ Service: 'sns.amazonaws.com' }), 'none');
  const sns = { principal: { kind: 'service', service: 'sns.amazonaws.com' } } as const;
  assert.equal(verdict(statement({ Principal: { Service: 'sns.amazonaws.com' } }), sns), 'allow');
  const nobody = { principal: { kind: 'anonymous' } } as const;
  assert.equal(verdict(statement(), nobody), 'allow');
  assert.equal(verdict(statement({ Principal: { AWS: account } }), nobody), 'none');
});

test('a denial wins', () => {
  assert.equal(verdict([statement(), statement({ Effect: 'Deny' })]), 'deny');
  assert.equal(verdict([statement({ Effect: 'Deny', Action: 'sqs:DeleteQueue' }), statement()]), 'allow');
  assert.equal(verdict([]), 'none');
});

test('conditions compare what is known of a request', () => {
  const context = new Map([
    ['aws:sourcearn', [topic]],
    ['aws:securetransport', ['false']],
    ['aws:sourceip', ['10.1.2.3']],
    ['aws:currenttime', ['2026-12-01T12:00:00Z']],
    ['sqs:count', ['7']],
  ]);
  const holds = (Condition: object): boolean => verdict(statement({ Condition }), { context }) === 'allow';
  const cases: readonly [Condition: object, holds: boolean][] = [
    [{ ArnEquals: { 'aws:SourceArn': topic } }, true],
    [{ ArnLike: { 'aws:SourceArn': [`arn:aws:sns:*:${account}:*`] } }, true],
    [{ ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::*' } }, false],
    [{ ArnNotLike: { 'aws:SourceArn': 'arn:aws:s3:::*' } }, true],
    [{ StringEquals: { 'AWS:SourceArn': topic } }, true],
    [{ StringEquals: { 'aws:SourceArn': topic.toUpperCase() } }, false],
    [{ StringEqualsIgnoreCase: { 'aws:SourceArn': topic.toUpperCase() } }, true],
    [{ StringNotEquals: { 'aws:SourceArn': topic } }, false],
    [{ StringEquals: { 'aws:PrincipalTag/env': 'dev' } }, false],
    [{ StringEqualsIfExists: { 'aws:PrincipalTag/env': 'dev' } }, true],
    [{ StringNotEquals: { 'aws:PrincipalTag/env': 'dev' } }, true],
    [{ Null: { 'aws:PrincipalTag/env': 'true' } }, true],
    [{ Null: { 'aws:SourceArn': true } }, false],
    [{ Bool: { 'aws:SecureTransport': 'false' } }, true],
    [{ Bool: { 'aws:SecureTransport': true } }, false],
    [{ IpAddress: { 'aws:SourceIp': ['192.168.0.0/16', '10.0.0.0/8'] } }, true],
    [{ NotIpAddress: { 'aws:SourceIp': '10.1.2.3' } }, false],
    [{ NumericLessThan: { 'sqs:count': 8 } }, true],
    [{ NumericGreaterThanEquals: { 'sqs:count': '7.5' } }, false],
    [{ DateLessThan: { 'aws:CurrentTime': '2027-01-01T00:00:00Z' } }, true],
    [{ DateNotEquals: { 'aws:CurrentTime': '2026-12-01T12:00:00Z' } }, false],
    [{ Bool: { 'aws:SecureTransport': 'false' }, StringLike: { 'aws:SourceIp': '10.*' } }, true],
    [{ Bool: { 'aws:SecureTransport': 'false' }, StringLike: { 'aws:SourceIp': '11.*' } }, false],
  ];
  for (const [condition, expected] of cases)
    assert.equal(holds(condition), expected, JSON.stringify(condition));
});

test('what is no policy, or too large a one, is refused', () => {
  const refused = (text: string): void =>
    assert.throws(() => parsePolicy(text), PolicyError, text.slice(0, 80));
  for (const text of ['', '{', '[]', '1', `{"Statement":${'['.repeat(100)}`]) refused(text);
  const of = (Statement: unknown): string => JSON.stringify({ Statement });
  refused(JSON.stringify({ Version: '2020-01-01' }));
  refused(JSON.stringify({ Statements: [] }));
  for (const changes of [
    { Effect: 'allow' },
    { Principal: undefined },
    { Principal: 'ada' },
    { Principal: { AWS: 'ada' } },
    { Principal: { Wine: '*' } },
    { Action: [] },
    { Action: 1 },
    { Action: '*', NotAction: '*' },
    { Resource: undefined },
    { Condition: { Wine: { a: 'b' } } },
    { Condition: { Bool: { a: 'maybe' } } },
    { Condition: { IpAddress: { a: '10.0.0.0/40' } } },
    { Condition: { StringEquals: { a: {} } } },
    { Wine: 1 },
  ])
    refused(of(statement(changes)));
  refused(of(Array.from({ length: 21 }, () => statement({ Action: 'a' }))));
  refused(of(statement({ Principal: { AWS: Array.from({ length: 51 }, () => account) } })));
  refused(of(statement({ Sid: 'x'.repeat(8192) })));
  const keys = Array.from({ length: 11 }, (_, index) => [`k${index}`, 'v']);
  refused(of(statement({ Condition: { StringEquals: Object.fromEntries(keys) } })));
});

test('a wildcard is any text, and is found in one pass', () => {
  const cases: readonly [pattern: string, text: string, matches: boolean][] = [
    ['', '', true],
    ['', 'a', false],
    ['a', 'a', true],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*b*c', 'a-b-b-c', true],
    ['ab*ba', 'aba', false],
    ['*a*a*', 'a', false],
    ['*ab*', 'xxaabxx', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*?', '', false],
    ['*?b*', 'ab', true],
    ['*', '', true],
    ['**', 'x', true],
  ];
  for (const [pattern, text, matches] of cases)
    assert.equal(new Wildcard(pattern).matches(text), matches, `${pattern} ${text}`);
  const plain = (pattern: string, text: string): boolean =>
    new Wildcard(pattern, { isPlain: true }).matches(text);
  assert.equal(plain('a?c', 'a?c'), true);
  assert.equal(plain('a?c', 'abc'), false);
  assert.equal(plain('a\\*c*', 'a*cd'), true);
  assert.equal(plain('a\\*c*', 'abcd'), false);
  // A matcher that goes back would take 2^30 steps.
  assert.equal(new Wildcard(`${'*a'.repeat(30)}*b`).matches('a'.repeat(10_000)), false);
});

test('addresses are in ranges', () => {
  const cases: readonly [range: string, address: string, isIn: boolean][] = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['0.0.0.0/0', '1.2.3.4', true],
    ['::/0', '1.2.3.4', true],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::1', '::1', true],
  ];
  for (const [range, address, isIn] of cases)
    assert.equal(isInCidr(parseCidr(range)!, address), isIn, `${range} ${address}`);
  for (const text of [
    '',
    '10',
    '10.0.0',
    '256.0.0.1',
    '10.0.0.0/33',
    '::/129',
    '1::2::3',
    '1:2:3',
    'g::',
    ':::',
  ])
    assert.equal(parseCidr(text), undefined, text);
});

test('an ARN has six parts', () => {
  assert.deepEqual(parseArn(`${topic}:7b0c`), {
    partition: 'aws',
    service: 'sns',
    region: 'us-east-1',
    account,
    resource: 'events:7b0c',
  });
  for (const text of [
    '',
    'arn:aws:sqs:us-east-1:1:q',
    'arn:aws:sqs:us-east-1',
    `x${topic}`,
    'a'.repeat(3000),
  ])
    assert.equal(parseArn(text), undefined, text);
});
