import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeConnect, decodeInfo, WireError } from '../../../src/wire/nats/index.ts';

describe('CONNECT', () => {
  it('has the members it names, and only those', () => {
    const text =
      '{"verbose":false,"name":"x","protocol":1,"user":null,"unknown":[1],"__proto__":{"echo":false}}';
    assert.deepEqual(decodeConnect(text), { verbose: false, name: 'x', protocol: 1 });
    assert.deepEqual(decodeConnect(' {} '), {});
  });

  it('must be a JSON object', () => {
    for (const text of ['', '{bad', '[]', 'null', '1', '"x"', '{} {}']) {
      assert.throws(() => decodeConnect(text), { name: 'WireError', code: 'bad-json' }, text);
    }
  });

  it('must have members of the right type', () => {
    for (const text of ['{"verbose":"no"}', '{"name":1}', '{"protocol":"1"}', '{"pass":{}}', '{"echo":0}']) {
      assert.throws(
        () => decodeConnect(text),
        (error) => error instanceof WireError && error.code === 'bad-json',
        text,
      );
    }
  });
});

describe('INFO', () => {
  it('is a JSON object', () => {
    assert.equal(decodeInfo('{"server_id":"x","max_payload":5}').max_payload, 5);
    assert.throws(() => decodeInfo('nonsense'), { code: 'bad-json' });
  });
});
