import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError, checkOrigin } from '../../../src/protocols/http/index.ts';

describe('checkOrigin', () => {
  const check =
    (
      host: string,
      boundHost: string,
      origin?: string,
      takesAnyName = false,
      scheme: 'http' | 'https' = 'http',
    ) =>
    (): void =>
      checkOrigin({ host, ...(origin === undefined ? {} : { origin }) }, { boundHost, takesAnyName, scheme });
  test('lets names of this machine in, with any port', () => {
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:8222', '[::1]:8222', '10.0.0.7:80'])
      check(host, '10.0.0.7')();
  });

  test('keeps names out that may be made to point here', () => {
    for (const host of ['', 'example.com', 'localhost.example.com', '10.0.0.8', '127.0.0.1.example.com'])
      assert.throws(check(host, '10.0.0.7'), HttpError, host);
  });

  test('takes any address, but no name, where it listens everywhere', () => {
    check('10.0.0.8:8222', '0.0.0.0')();
    assert.throws(check('example.com', '0.0.0.0'), HttpError);
  });

  test('takes any name where a token is needed, which a page that was led here does not have', () => {
    check('broker.internal:8222', '0.0.0.0', undefined, true)();
    assert.throws(check('broker.internal', '0.0.0.0', 'http://evil.example', true), HttpError);
  });

  test('takes other pages where they are welcome: all, or those that this machine serves', () => {
    const host = 'localhost:15672';
    const rules = { boundHost: '127.0.0.1', takesAnyName: false, scheme: 'http' } as const;
    checkOrigin({ host, origin: 'https://shop.example' }, { ...rules, otherPages: 'all' });
    for (const origin of ['http://localhost:5173', 'https://127.0.0.1', 'http://[::1]:80'])
      checkOrigin({ host, origin }, { ...rules, otherPages: 'local' });
    for (const origin of ['https://shop.example', 'http://localhost.example', 'http://127.0.0.10', 'null'])
      assert.throws(
        () => checkOrigin({ host, origin }, { ...rules, otherPages: 'local' }),
        HttpError,
        origin,
      );
  });

  test('takes pages of its own origin only', () => {
    check('localhost:8222', '127.0.0.1', 'http://localhost:8222')();
    assert.throws(check('localhost:8222', '127.0.0.1', 'http://localhost:3000'), HttpError);
    assert.throws(check('localhost:8222', '127.0.0.1', 'null'), HttpError);
  });
});
