import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError, matchPath } from '../../../src/protocols/http/index.ts';

describe('matchPath', () => {
  test('matches segment by segment', () => {
    assert.deepEqual(matchPath('/a/:x/b', '/a/1/b'), { x: '1' });
    assert.equal(matchPath('/a/:x/b', '/a/1/c'), undefined);
    assert.equal(matchPath('/a/:x', '/a/'), undefined);
    assert.equal(matchPath('/a/:x', '/a/1/2'), undefined);
    assert.throws(() => matchPath('/a/:x', '/a/%'), HttpError);
  });
});
