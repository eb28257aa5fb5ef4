import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  Operation,
  Pattern,
  Permission,
  Resource,
  type Acl,
} from '../../../../src/protocols/kafka/security/acl.ts';
import { matchesFilter, type AclFilter } from '../../../../src/protocols/kafka/security/acl-filter.ts';
import { ConfiguredRights } from '../../../../src/protocols/kafka/security/configured-rights.ts';
import { PatternIndex } from '../../../../src/protocols/kafka/security/pattern-index.ts';
import { Rights, fullRights } from '../../../../src/protocols/kafka/security/rights.ts';

function acl(
  permission: 'allow' | 'deny',
  operation: keyof typeof Operation,
  pattern: string,
  resource: keyof typeof Resource = 'topic',
): Acl {
  const isPrefix = pattern.endsWith('*') && pattern !== '*';
  return {
    resourceType: Resource[resource],
    resourceName: isPrefix ? pattern.slice(0, -1) : pattern,
    patternType: isPrefix ? Pattern.prefixed : Pattern.literal,
    principal: 'User:ann',
    host: '*',
    operation: Operation[operation],
    permission: Permission[permission],
  };
}

describe('the rights of ACLs', () => {
  test('an operation that nothing allows is denied', () => {
    const rights = new Rights([acl('allow', 'read', 'orders')]);
    assert.equal(rights.mayTopic(Operation.read, 'orders'), true);
    assert.equal(rights.mayTopic(Operation.write, 'orders'), false);
    assert.equal(rights.mayTopic(Operation.read, 'orders2'), false);
    assert.equal(rights.mayGroup(Operation.read, 'orders'), false);
  });

  test('a denial wins, from whatever pattern', () => {
    for (const denial of ['orders-1', 'orders-*', 'o*', '*']) {
      const rights = new Rights([acl('allow', 'all', 'orders-*'), acl('deny', 'write', denial)]);
      assert.equal(rights.mayTopic(Operation.write, 'orders-1'), false, denial);
      assert.equal(rights.mayTopic(Operation.read, 'orders-1'), true, denial);
    }
    const other = new Rights([acl('allow', 'all', '*'), acl('deny', 'write', 'orders-*')]);
    assert.equal(other.mayTopic(Operation.write, 'order'), true);
  });

  test('READ, WRITE, DELETE and ALTER imply DESCRIBE, ALTER_CONFIGS implies DESCRIBE_CONFIGS; denials imply nothing', () => {
    for (const operation of ['read', 'write', 'delete', 'alter'] as const)
      assert.ok(new Rights([acl('allow', operation, 't')]).mayTopic(Operation.describe, 't'), operation);
    for (const operation of ['create', 'describeConfigs', 'alterConfigs'] as const)
      assert.ok(!new Rights([acl('allow', operation, 't')]).mayTopic(Operation.describe, 't'), operation);
    assert.ok(new Rights([acl('allow', 'alterConfigs', 't')]).mayTopic(Operation.describeConfigs, 't'));
    const denied = new Rights([acl('allow', 'all', 't'), acl('deny', 'read', 't')]);
    assert.ok(denied.mayTopic(Operation.describe, 't'));
    assert.ok(!denied.mayTopic(Operation.read, 't'));
  });

  test('where everything is open that no ACL is about, one ACL closes the resource', () => {
    const rights = new Rights([acl('allow', 'read', 'b')], undefined, (_, name) => name === 'a');
    assert.ok(rights.mayTopic(Operation.write, 'a'));
    assert.ok(!rights.mayTopic(Operation.write, 'b'));
    assert.ok(!rights.mayTopic(Operation.write, 'c'), 'others have ACLs for it');
  });

  test('an idempotent producer needs IDEMPOTENT_WRITE, or WRITE on some topic', () => {
    const cases: readonly (readonly [acls: readonly Acl[], may: boolean])[] = [
      [[acl('allow', 'idempotentWrite', 'kafka-cluster', 'cluster')], true],
      [[acl('allow', 'write', 'a')], true],
      [[acl('allow', 'all', 'a*')], true],
      [[acl('allow', 'read', 'a')], false],
      [[acl('allow', 'write', '*'), acl('deny', 'write', 'a')], true],
      [[acl('allow', 'write', 'a'), acl('deny', 'write', '*')], false],
      [[acl('allow', 'write', 'ab'), acl('deny', 'write', 'a*')], false],
      [[acl('allow', 'write', 'ab'), acl('deny', 'write', 'ab')], false],
      [[acl('allow', 'write', 'ab*'), acl('deny', 'write', 'ab')], true],
      [[acl('allow', 'write', 'ab*'), acl('deny', 'write', 'ab*')], false],
    ];
    for (const [acls, may] of cases)
      assert.equal(new Rights(acls).mayWriteIdempotently, may, JSON.stringify(acls));
  });

  test('full rights allow everything', () => {
    assert.ok(fullRights.mayTopic(Operation.write, 'x'));
    assert.ok(fullRights.mayCluster(Operation.alter));
    assert.ok(fullRights.mayWriteIdempotently);
  });
});

describe('the rights of permissions in the configuration', () => {
  const rightsOf = (permissions: ConstructorParameters<typeof ConfiguredRights>[0], ...acls: Acl[]): Rights =>
    new Rights(acls, new ConfiguredRights(permissions, (name) => name));

  test('publish is WRITE, consume is READ, manage is CREATE, ALTER, DELETE and ALTER_CONFIGS', () => {
    const rights = rightsOf({
      publish: { allow: ['p'] },
      consume: { allow: ['c-*'] },
      manage: { allow: ['m'] },
    });
    const { read, write, create, alter, describe: see, alterConfigs, describeConfigs } = Operation;
    const may = (name: string): number[] =>
      Object.values(Operation).filter((operation) => operation > 2 && rights.mayTopic(operation, name));
    assert.deepEqual(may('p'), [write, see]);
    assert.deepEqual(may('c-1'), [read, see]);
    assert.deepEqual(may('m'), [create, Operation.delete, alter, see, describeConfigs, alterConfigs]);
    assert.deepEqual(may('other'), []);
    assert.ok(rights.mayGroup(read, 'any'));
    assert.ok(rights.mayTransactionalId(write, 'any'));
    assert.ok(rights.mayWriteIdempotently);
    assert.ok(!rights.mayCluster(alter));
  });

  test('ACLs add to them, and a denial of either wins', () => {
    const permissions = { publish: { allow: ['*'], deny: ['audit'] } };
    const rights = rightsOf(
      permissions,
      acl('allow', 'read', 'orders'),
      acl('allow', 'write', 'audit'),
      acl('deny', 'write', 'private'),
    );
    assert.ok(rights.mayTopic(Operation.read, 'orders'));
    assert.ok(!rights.mayTopic(Operation.write, 'audit'));
    assert.ok(!rights.mayTopic(Operation.write, 'private'));
    assert.ok(rights.mayTopic(Operation.write, 'orders'));
  });
});

const name = fc.stringMatching(/^[ab]{1,5}$/);

test('a pattern index finds the same as a scan of all patterns', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom(Pattern.literal, Pattern.prefixed), fc.oneof(name, fc.constant('*'))),
      ),
      fc.array(fc.nat(20)),
      name,
      (patterns, removed, asked) => {
        const index = new PatternIndex<string>();
        for (const [type, pattern] of patterns) index.set(type, pattern, `${type}${pattern}`);
        const left = new Map(patterns.map(([type, pattern]) => [`${type}${pattern}`, { type, pattern }]));
        // A look-up between changes must not keep old rights.
        index.visit(asked, () => {});
        for (const at of removed) {
          const [type, pattern] = patterns[at] ?? [Pattern.literal, ''];
          index.delete(type, pattern);
          left.delete(`${type}${pattern}`);
        }
        const found: string[] = [];
        index.visit(asked, (value) => found.push(value));
        const expected = [...left].filter(([, { type, pattern }]) =>
          type === Pattern.prefixed ? asked.startsWith(pattern) : pattern === asked || pattern === '*',
        );
        assert.deepEqual(found.sort(), expected.map(([key]) => key).sort());
      },
    ),
  );
});

test('filters match as Kafka’s do', () => {
  const any: AclFilter = {
    resourceType: Resource.any,
    resourceName: null,
    patternType: Pattern.any,
    principal: null,
    host: null,
    operation: Operation.any,
    permission: Permission.any,
  };
  const literal = acl('allow', 'read', 'orders');
  const prefix = acl('allow', 'read', 'ord*');
  const all = acl('deny', 'write', '*');
  const matching = (filter: Partial<AclFilter>): Acl[] =>
    [literal, prefix, all].filter((each) => matchesFilter({ ...any, ...filter }, each));
  assert.deepEqual(matching({}), [literal, prefix, all]);
  assert.deepEqual(matching({ resourceName: 'orders' }), [literal]);
  assert.deepEqual(matching({ resourceName: 'orders', patternType: Pattern.match }), [literal, prefix, all]);
  assert.deepEqual(matching({ resourceName: 'ord', patternType: Pattern.prefixed }), [prefix]);
  assert.deepEqual(matching({ resourceName: 'orders', patternType: Pattern.prefixed }), []);
  assert.deepEqual(matching({ patternType: Pattern.literal }), [literal, all]);
  assert.deepEqual(matching({ permission: Permission.deny }), [all]);
  assert.deepEqual(matching({ operation: Operation.read }), [literal, prefix]);
  assert.deepEqual(matching({ principal: 'User:bob' }), []);
  assert.deepEqual(matching({ host: '127.0.0.1' }), []);
  assert.deepEqual(matching({ resourceType: Resource.group }), []);
});
