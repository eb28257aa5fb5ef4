import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer } from '../support/index.ts';

/** Runs a compiled example to its end. */
async function runExample(
  name: string,
  args: readonly string[] = [],
): Promise<{ code: number | null; lines: string[] }> {
  const path = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const child = spawn(process.execPath, [path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Handlers that fail on purpose are warned of on stderr.
    env: { ...environment, NODE_NO_WARNINGS: '1' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const deadline = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(deadline);
  return { code, lines: output.trimEnd().split('\n') };
}

describe('examples', () => {
  test('work-queue', async () => {
    assert.deepEqual(await runExample('work-queue'), {
      code: 0,
      lines: [
        'made 3 thumbnails: hills.png, sea.png, town.png',
        '0 jobs left',
        'set aside: notes.txt (rejected: that is no picture)',
      ],
    });
  });

  test('pub-sub', async () => {
    assert.deepEqual(await runExample('pub-sub'), {
      code: 0,
      lines: [
        'archive: kitchen.temperature 21.5',
        'archive: kitchen.humidity 40',
        'archive: garden.temperature 12',
        'thermostat: kitchen.temperature 21.5',
        'thermostat: garden.temperature 12',
        'browsed: garden.temperature',
        '1 listener heard the alarm',
        'alarm.smoke: {"floor":3}',
      ],
    });
  });

  test('idempotent-consumer', async () => {
    const { code, lines } = await runExample('idempotent-consumer');
    // Whether p1 comes again before p2 comes at all is a matter of how long its backoff takes here.
    assert.deepEqual(
      [code, lines.slice(0, 4), lines.slice(4).toSorted()],
      [
        0,
        [
          'payment p1: stored, offset 0',
          'payment p1: was stored already, offset 0',
          'payment p2: stored, offset 1',
          'payment p1, delivery 1: booked',
        ],
        [
          'balance: 750 cents',
          'payment p1, delivery 2: was booked already',
          'payment p2, delivery 1: booked',
        ],
      ],
    );
  });

  test('any-target', async () => {
    await using server = await startServer();
    const targets = ['memory:', `pillarbox://${server.natsAddress}`, `amqp://127.0.0.1:${server.amqpPort}`];
    assert.deepEqual(await runExample('any-target', targets), {
      code: 0,
      lines: targets.flatMap((target) => {
        const protocol = target.replace(/:.*/, ':');
        return [
          `${protocol} sent to ada@example.org, bob@example.org`,
          `${protocol} set aside: nowhere (rejected: no address)`,
        ];
      }),
    });
  });

  test('outbox', async () => {
    assert.deepEqual(await runExample('outbox'), {
      code: 0,
      lines: [
        'rolled back: not paid',
        'delivery 1 of 3 tea: handled',
        'delivery 2 of 3 tea: duplicate',
        'left: 7 tea',
      ],
    });
  });

  test('nats-client', async () => {
    await using server = await startServer();
    const { code, lines } = await runExample('nats-client', [server.natsAddress]);
    assert.deepEqual(
      [code, lines.map((line) => line.replaceAll(/EXAMPLE-\d+/g, 'EXAMPLE'))],
      [
        0,
        [
          'greet.world: hello',
          'tea is on disk, sequence 1',
          'milk is on disk, sequence 2',
          'sand is on disk, sequence 3',
          'tea again: recognised',
          'tea: done',
          'milk: done',
          'sand, delivery 1: refused',
          'sand, delivery 2: refused',
          '2 done',
          'EXAMPLE-kitchen-dlq: sand, because of max-deliveries',
        ],
      ],
    );
  });

  test('nats-client gives advice without a broker', async () => {
    const { code, lines } = await runExample('nats-client', ['127.0.0.1:1']);
    assert.equal(code, 69);
    assert.match(lines.join('\n'), /No broker at 127\.0\.0\.1:1 .*npm start/);
  });
});
