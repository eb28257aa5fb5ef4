/** Lists: pages, names, columns, order. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AdminServer } from './admin-kit.ts';

let server: AdminServer;
before(async () => {
  server = await AdminServer.start();
  for (const [name, length] of [
    ['alpha', 3],
    ['Beta', 1],
    ['gamma', 2],
    ['delta', 4],
  ] as const)
    await server.ask(`PUT /queues/%2F/${name}`, { durable: true, arguments: { 'x-max-length': length } });
});
after(() => server[Symbol.asyncDispose]());

const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);

test('a list is ordered by name', async () => {
  assert.deepEqual(names(await server.get('/queues')), ['Beta', 'alpha', 'delta', 'gamma']);
});

test('a slash at the end of a path means nothing', async () => {
  assert.deepEqual(await server.get('/queues/?columns=name'), await server.get('/queues?columns=name'));
});

test('a list is sorted by a field inside of others, and turned round', async () => {
  const sorted = await server.get('/queues/%2F?sort=arguments.x-max-length');
  assert.deepEqual(names(sorted), ['Beta', 'gamma', 'alpha', 'delta']);
  const reversed = await server.get('/queues/%2F?sort=name&sort_reverse=true');
  assert.deepEqual(names(reversed), ['gamma', 'delta', 'alpha', 'Beta']);
  assert.equal((await server.get('/queues?sort=nothing.there')).length, 4);
});

test('columns leave the rest out', async () => {
  const [first] = await server.get('/queues?columns=name,arguments.x-max-length,none');
  assert.deepEqual(first, { name: 'Beta', arguments: { 'x-max-length': 1 } });
  assert.deepEqual(await server.get('/queues/%2F/gamma?columns=name,durable'), {
    name: 'gamma',
    durable: true,
  });
});

test('a page has some of the list, and says how much there is', async () => {
  assert.deepEqual(await server.get('/queues?page=2&page_size=3&columns=name'), {
    filtered_count: 4,
    item_count: 1,
    items: [{ name: 'gamma' }],
    page: 2,
    page_count: 2,
    page_size: 3,
    total_count: 4,
  });
});

test('a page is filtered by a part of the name, or by a pattern', async () => {
  const found = async (query: string): Promise<unknown> => {
    const { items, filtered_count, total_count } = await server.get(`/queues?page=1&${query}`);
    return [names(items), filtered_count, total_count];
  };
  assert.deepEqual(await found('name=ET'), [['Beta'], 1, 4]);
  assert.deepEqual(await found('name=%5E(alpha%7Cb.*)%24&use_regex=true'), [['Beta', 'alpha'], 2, 4]);
  assert.deepEqual(await found('name=%5Ea&use_regex=false'), [[], 0, 4]);
});

test('a page that cannot be is refused', async () => {
  for (const [query, said] of [
    ['page=x', '400 bad_request: Pagination parameters are invalid'],
    [
      'page=0',
      '400 invalid_pagination_parameters: Invalid pagination parameters: page number 0, page size 100',
    ],
    [
      'page=1&page_size=501',
      '400 invalid_pagination_parameters: Invalid pagination parameters: page number 1, page size 501',
    ],
    ['page=3', '400 page_out_of_range: Page out of range, page: 3 page size: 100, len: 4'],
    ['page=1&name=(&use_regex=true', '400 bad_request: use_regex: missing closing parenthesis'],
  ] as const)
    assert.equal(await server.told(`GET /queues?${query}`), said);
});

test('a list without statistics has the definitions, and totals if they are asked for', async () => {
  const [short] = await server.get('/queues?disable_stats=true');
  assert.equal(short.name, 'Beta');
  assert.equal(short.messages, undefined);
  const [withTotals] = await server.get('/queues?disable_stats=true&enable_queue_totals=true');
  assert.equal(withTotals.messages, 0);
  assert.equal(withTotals.message_stats, undefined);
});

test('a list of many is sent whole', async () => {
  const { broker } = server.amqp;
  await Promise.all(Array.from({ length: 300 }, (_, index) => broker.createTopic({ name: `many-${index}` })));
  const list = await server.get('/queues');
  assert.equal(list.length, 304);
  assert.equal(new Set(names(list)).size, 304);
});
