import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accessOf, fullAccess } from '../../../src/protocols/users/index.ts';

describe('an access', () => {
  test('without restrictions is one object, which allows everything', () => {
    assert.equal(accessOf(undefined), fullAccess);
    assert.equal(fullAccess.mayManage('orders'), true);
  });

  test('allows by a name, a prefix or *', () => {
    const access = accessOf({
      publish: { allow: ['orders'] },
      consume: { allow: ['orders-*'] },
      manage: { allow: ['*'] },
    });
    assert.deepEqual([access.mayPublish('orders'), access.mayPublish('orders-eu')], [true, false]);
    assert.deepEqual(
      [access.mayConsume('orders-'), access.mayConsume('orders-eu'), access.mayConsume('orders')],
      [true, true, false],
    );
    assert.equal(access.mayManage('anything'), true);
  });

  test('denies a denied name, whatever allows it', () => {
    const access = accessOf({ publish: { allow: ['orders', '*'], deny: ['orders'] } });
    assert.deepEqual([access.mayPublish('orders'), access.mayPublish('bills')], [false, true]);
  });

  test('with denials alone allows all other names; an action that is left out is allowed for none', () => {
    const access = accessOf({ consume: { deny: ['audit-*'] } });
    assert.deepEqual([access.mayConsume('orders'), access.mayConsume('audit-eu')], [true, false]);
    assert.deepEqual([access.mayPublish('orders'), access.mayManage('orders')], [false, false]);
    assert.deepEqual([access.maySee('orders'), access.maySee('audit-eu')], [true, false]);
  });

  test('says the same again, for more names than it keeps', () => {
    const access = accessOf({ publish: { allow: ['orders-*'] } });
    for (let round = 0; round < 2; round++)
      for (let at = 0; at < 11_000; at++) {
        assert.equal(access.mayPublish(`orders-${at}`), true);
        assert.equal(access.mayPublish(`bills-${at}`), false);
      }
  });
});
