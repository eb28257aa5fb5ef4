import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AwsError,
  presignTarget,
  readClaim,
  SignatureVerifier,
  type SignableRequest,
  signRequest,
} from '../../../src/wire/aws/index.ts';
import { canonicalRequest, sha256Hex } from '../../../src/wire/aws/signing/canonical.ts';

const timeMs = Date.UTC(2015, 7, 30, 12, 36, 0);
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const suite = { accessKeyId: 'AKIDEXAMPLE', secret, region: 'us-east-1', service: 'service', timeMs };
const sqs = { ...suite, service: 'sqs' };

function request(changes: Partial<SignableRequest> = {}): SignableRequest {
  return {
    method: 'GET',
    target: '/',
    headers: { host: 'example.amazonaws.com' },
    body: Buffer.alloc(0),
    ...changes,
  };
}

function signed(changes: Partial<SignableRequest> = {}, options = sqs): SignableRequest {
  const one = request(changes);
  return { ...one, headers: { ...one.headers, ...signRequest(one, options) } };
}

const verifier = new SignatureVerifier();

function verify(one: SignableRequest, nowMs = timeMs): string {
  const secretOf = (id: string): string | undefined => (id === suite.accessKeyId ? secret : undefined);
  return verifier.verify(one, { secretOf, nowMs, services: ['sqs', 'sns'] }).accessKeyId;
}

function codeOf(run: () => unknown): string {
  let code = '';
  assert.throws(run, (error) => {
    if (!(error instanceof AwsError)) return false;
    code = error.code();
    return true;
  });
  return code;
}

// AWS's test suite for signers, as its facts: a request and its signature.
const letters = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const form = 'application/x-www-form-urlencoded';
const facts: readonly (readonly [
  name: string,
  method: string,
  target: string,
  headers: { readonly [name: string]: string | readonly string[] },
  body: string,
  signature: string,
])[] = [
  ['get-vanilla', 'GET', '/', {}, '', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-header-key-duplicate',
    'GET',
    '/',
    { 'my-header1': ['value2', 'value2', 'value1'] },
    '',
    'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
  ],
  [
    'get-header-value-order',
    'GET',
    '/',
    { 'my-header1': ['value4', 'value1', 'value3', 'value2'] },
    '',
    '08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01',
  ],
  [
    'get-header-value-trim',
    'GET',
    '/',
    { 'my-header1': ' value1', 'my-header2': ' "a   b   c"' },
    '',
    'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  ],
  [
    'get-unreserved',
    'GET',
    `/${letters}`,
    {},
    '',
    '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
  ],
  ['get-utf8', 'GET', '/\u1234', {}, '', '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85'],
  [
    'get-vanilla-empty-query-key',
    'GET',
    '/?Param1=value1',
    {},
    '',
    'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
  ],
  [
    'get-vanilla-query-order-key-case',
    'GET',
    '/?Param2=value2&Param1=value1',
    {},
    '',
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  [
    'get-vanilla-query-unreserved',
    'GET',
    `/?${letters}=${letters}`,
    {},
    '',
    '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
  ],
  [
    'get-vanilla-utf8-query',
    'GET',
    '/?%E1%88%B4=bar',
    {},
    '',
    '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
  ],
  ['post-vanilla', 'POST', '/', {}, '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'post-header-key-sort',
    'POST',
    '/',
    { 'my-header1': 'value1' },
    '',
    'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  ],
  [
    'post-header-value-case',
    'POST',
    '/',
    { 'my-header1': 'VALUE1' },
    '',
    'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  ],
  [
    'post-vanilla-query',
    'POST',
    '/?Param1=value1',
    {},
    '',
    '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
  ],
  [
    'post-x-www-form-urlencoded',
    'POST',
    '/',
    { 'content-type': form },
    'Param1=value1',
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
  [
    'post-x-www-form-urlencoded-parameters',
    'POST',
    '/',
    { 'content-type': `${form}; charset=utf8` },
    'Param1=value1',
    '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
  ],
];

for (const [name, method, target, headers, body, signature] of facts)
  test(`the suite of AWS: ${name}`, () => {
    const one = request({
      method,
      target,
      headers: { host: 'example.amazonaws.com', ...headers },
      body: Buffer.from(body),
    });
    assert.match(signRequest(one, suite).authorization, new RegExp(`Signature=${signature}$`));
  });

test('the suite of AWS: paths lose empty and dot segments', () => {
  const pathOf = (target: string): string | undefined =>
    canonicalRequest(request({ target }), ['host'], sha256Hex('')).split('\n')[1];
  const cases: readonly [string, string][] = [
    ['/', '/'],
    ['//', '/'],
    ['/example/..', '/'],
    ['/example1/example2/../..', '/'],
    ['/./example', '/example'],
    ['//example//', '/example/'],
    ['/a%20b', '/a%2520b'],
    ['http://localhost/1/q?x', '/1/q'],
  ];
  for (const [target, path] of cases) assert.equal(pathOf(target), path, target);
});

test('a signed request is that of its key', () => {
  const body = Buffer.from('{"QueueUrl":"q"}');
  const headers = { host: 'localhost:9324', 'x-amz-target': 'AmazonSQS.SendMessage' };
  assert.equal(verify(signed({ method: 'POST', headers, body })), 'AKIDEXAMPLE');
  // The key of the day is kept, and is another one for another service.
  assert.equal(verify(signed({ method: 'POST', headers, body })), 'AKIDEXAMPLE');
  assert.equal(verify(signed({}, { ...suite, service: 'sns' })), 'AKIDEXAMPLE');
});

test('any change after signing is noticed', () => {
  const one = signed({
    method: 'POST',
    target: '/1/q?a=b',
    headers: { host: 'h', 'x-amz-target': 'AmazonSQS.SendMessage' },
    body: Buffer.from('x'),
  });
  assert.equal(verify(one), 'AKIDEXAMPLE');
  const changes: readonly Partial<SignableRequest>[] = [
    { method: 'PUT' },
    { target: '/1/r?a=b' },
    { target: '/1/q?a=c' },
    { target: '/1/q' },
    { body: Buffer.from('y') },
    { headers: { ...one.headers, host: 'i' } },
    { headers: { ...one.headers, 'x-amz-target': 'AmazonSQS.PurgeQueue' } },
    { headers: { ...one.headers, 'x-amz-date': '20150830T123601Z' } },
    { headers: { ...one.headers, authorization: `${String(one.headers['authorization'])}0` } },
  ];
  for (const change of changes)
    assert.equal(
      codeOf(() => verify({ ...one, ...change })),
      'SignatureDoesNotMatch',
      JSON.stringify(change),
    );
});

test('a body may be left out of the signature, if the signature says so', () => {
  const one = signed({ headers: { host: 'h', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
  assert.equal(verify({ ...one, body: Buffer.from('other') }), 'AKIDEXAMPLE');
});

test('a presigned URL is good until it expires', () => {
  const headers = { host: 'h' };
  const target = presignTarget(request({ target: '/1/q?Action=ReceiveMessage', headers }), {
    ...sqs,
    expiresS: 60,
  });
  const one = request({ target, headers });
  assert.equal(verify(one), 'AKIDEXAMPLE');
  assert.equal(verify(one, timeMs + 60_000), 'AKIDEXAMPLE');
  assert.equal(
    codeOf(() => verify(one, timeMs + 61_000)),
    'RequestExpired',
  );
  assert.equal(
    codeOf(() => verify(one, timeMs - 16 * 60_000)),
    'SignatureDoesNotMatch',
  );
  const changed = request({ target: target.replace('ReceiveMessage', 'PurgeQueue'), headers });
  assert.equal(
    codeOf(() => verify(changed)),
    'SignatureDoesNotMatch',
  );
});

test('clocks may differ by fifteen minutes', () => {
  const minutes15 = 15 * 60_000;
  for (const offset of [-minutes15, 0, minutes15])
    assert.equal(verify(signed(), timeMs + offset), 'AKIDEXAMPLE');
  assert.throws(() => verify(signed(), timeMs + minutes15 + 1000), {
    message:
      'Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)',
  });
  assert.throws(() => verify(signed(), timeMs - minutes15 - 1000), {
    message:
      'Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T122059Z + 15 min.)',
  });
});

test('a request without a signature, with a broken one or for others is told so', () => {
  const withHeader = (authorization: string, more: SignableRequest['headers'] = {}): SignableRequest =>
    request({ headers: { host: 'h', 'x-amz-date': '20150830T123600Z', authorization, ...more } });
  const credential = 'Credential=AKIDEXAMPLE/20150830/us-east-1/sqs/aws4_request';
  const rest = 'SignedHeaders=host;x-amz-date, Signature=00';
  const cases: readonly [SignableRequest, string][] = [
    [request(), 'MissingAuthenticationToken'],
    [request({ target: '/?X-Amz-Foo=1' }), 'MissingAuthenticationToken'],
    [request({ target: '/?X-Amz-Signature=1' }), 'IncompleteSignature'],
    [withHeader(''), 'IncompleteSignature'],
    [withHeader('Basic abc'), 'IncompleteSignature'],
    [withHeader(`AWS4-HMAC-SHA256 ${credential}`), 'IncompleteSignature'],
    [withHeader(`AWS4-HMAC-SHA256 Credential=a/b/c, ${rest}`), 'IncompleteSignature'],
    [
      withHeader(`AWS4-HMAC-SHA256 ${credential}, ${rest}`, { 'x-amz-date': 'yesterday' }),
      'IncompleteSignature',
    ],
    [withHeader(`AWS4-HMAC-SHA256 ${credential}, ${rest}`), 'SignatureDoesNotMatch'],
    [withHeader(`AWS4-HMAC-SHA256 ${credential.replace('AKID', 'NONE')}, ${rest}`), 'InvalidClientTokenId'],
    [withHeader(`AWS4-HMAC-SHA256 ${credential.replace('sqs', 's3')}, ${rest}`), 'SignatureDoesNotMatch'],
    [withHeader(`AWS4-HMAC-SHA256 ${credential}5, ${rest}`), 'SignatureDoesNotMatch'],
    [
      withHeader(`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=x-amz-date, Signature=0`),
      'SignatureDoesNotMatch',
    ],
    [withHeader(`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0`), 'SignatureDoesNotMatch'],
    [
      withHeader(`AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host;x-amz-date;a, Signature=0`),
      'SignatureDoesNotMatch',
    ],
  ];
  for (const [one, code] of cases)
    assert.equal(
      codeOf(() => verify(one)),
      code,
      JSON.stringify(one),
    );
});

test('what a request claims can be read without its secret', () => {
  assert.equal(readClaim(request()), undefined);
  assert.deepEqual(readClaim(signed())?.credential, {
    accessKeyId: 'AKIDEXAMPLE',
    day: '20150830',
    region: 'us-east-1',
    service: 'sqs',
  });
});
