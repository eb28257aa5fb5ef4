import { declareQueue, each } from './amqp-frames.ts';
import { done } from './amqp-inputs.ts';
import type { CostlyInput, Ports } from './input.ts';

const mib = 2 ** 20;
const login = `Authorization: Basic ${Buffer.from('guest:guest').toString('base64')}\r\n`;

/** A request whose answer ends the connection. */
function request(line: string, body = ''): Buffer {
  const length = body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return Buffer.from(
    `${line} HTTP/1.1\r\nHost: localhost\r\n${login}${length}Connection: close\r\n\r\n${body}`,
  );
}

function admin(
  name: string,
  bytes: () => Buffer,
  prepare?: (ports: Ports) => Promise<void>,
  connections = 1,
): CostlyInput {
  return {
    name: `AMQP management: ${name}`,
    protocol: 'amqpAdmin',
    ...(prepare && { prepare }),
    bytes,
    answers: 1,
    connections,
  };
}

const queues =
  (count: number) =>
  (ports: Ports): Promise<void> =>
    done(ports, [each(count, (at) => declareQueue(`${'a'.repeat(100)}${at}`, { durable: false }))]);

/** As many of these as a mebibyte has room for, in one list. */
function list(before: string, item: (at: number) => string, after: string): string {
  const items: string[] = [];
  for (let at = 0, left = mib; left > 0; at++) {
    items.push(item(at));
    left -= items.at(-1)!.length + 1;
  }
  return `${before}${items.join(',')}${after}`;
}

const vhost = '"vhost":"/"';
const queue = (at: number): string =>
  `{"name":"q${at}",${vhost},"durable":false,"auto_delete":false,"arguments":{}}`;
const binding = (at: number): string =>
  `{"source":"amq.topic",${vhost},"destination":"q","destination_type":"queue","routing_key":"${at}.#","arguments":{}}`;

/** What a request to the management API could make the broker do for long. */
export const amqpAdminInputs: readonly CostlyInput[] = [
  admin('definitions, 1 MiB of queues', () =>
    request('POST /api/definitions', list('{"queues":[', queue, ']}')),
  ),
  admin('definitions, 1 MiB of bindings', () =>
    request(
      'POST /api/definitions',
      list(
        `{"queues":[{"name":"q",${vhost},"durable":false,"auto_delete":false,"arguments":{}}],"bindings":[`,
        binding,
        ']}',
      ),
    ),
  ),
  admin('definitions, 20 MiB of brackets', () => request('POST /api/definitions', '['.repeat(20 * mib - 1))),
  admin('definitions, 8 MiB of nested arrays', () =>
    request('POST /api/definitions', `{"queues":${'['.repeat(4 * mib)}${']'.repeat(4 * mib)}}`),
  ),
  admin('arguments of a queue, 1,000 levels', () =>
    request(
      'PUT /api/queues/%2F/q',
      `{"durable":false,"arguments":{"a":${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}}}`,
    ),
  ),
  admin('a list of 3,000 queues, 20 times at once', () => request('GET /api/queues'), queues(3_000), 20),
  admin(
    'a page of 3,000 queues by (a*)*b',
    () => request('GET /api/queues?page=1&page_size=500&use_regex=true&name=(a*)*b'),
    queues(3_000),
  ),
  admin(
    'a page of 3,000 queues by (a?){100}a{100}',
    () => request('GET /api/queues?page=1&page_size=500&use_regex=true&name=(a%3F){100}a{100}'),
    queues(3_000),
  ),
  admin(
    'a page beyond the last one, sorted',
    () => request('GET /api/queues?page=999999999&page_size=500&sort=name&sort_reverse=true'),
    queues(3_000),
  ),
  admin(
    '1,000 columns, 3,000 queues',
    () => request(`GET /api/queues?columns=${'name,'.repeat(1000)}name`),
    queues(3_000),
  ),
  admin('permissions with a pattern of 8 KiB', () =>
    request(
      'PUT /api/permissions/%2F/guest',
      `{"configure":"${'(a*)*'.repeat(1600)}","write":".*","read":".*"}`,
    ),
  ),
];
