/**
 * pika, kombu and Celery, by the defaults of each. They need a python3 that has them; PIKA_PYTHONPATH and
 * CELERY_PYTHONPATH may name folders to find them in.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { useServer } from '../../support/index.ts';

const run = promisify(execFile);
// The Python sources are not compiled by tsc: dist*/test/interop/amqp -> test/interop/amqp/clients.
const clients = fileURLToPath(new URL('../../../../test/interop/amqp/clients/', import.meta.url));

interface PythonClient {
  readonly title: string;
  /** The names to import. */
  readonly modules: readonly string[];
  /** The folder that they are in, besides those of python3. */
  readonly folder: string | undefined;
  readonly script: string;
  readonly scenarios: readonly string[];
}

const pythonClients: readonly PythonClient[] = [
  {
    title: 'pika',
    modules: ['pika'],
    folder: process.env['PIKA_PYTHONPATH'],
    script: 'pika_client.py',
    scenarios: ['work', 'limit', 'rpc', 'direct_reply', 'reconnect', 'transaction'],
  },
  {
    title: 'kombu',
    modules: ['kombu'],
    folder: process.env['CELERY_PYTHONPATH'],
    script: 'kombu_client.py',
    scenarios: ['work', 'recover', 'simple'],
  },
  {
    title: 'Celery',
    modules: ['celery'],
    folder: process.env['CELERY_PYTHONPATH'],
    script: 'celery_client.py',
    scenarios: ['tasks'],
  },
];

for (const { title, modules, folder, script, scenarios } of pythonClients) {
  const env = {
    ...process.env,
    PYTHONDONTWRITEBYTECODE: '1',
    ...(folder === undefined ? {} : { PYTHONPATH: folder }),
  };
  const skip =
    spawnSync('python3', ['-c', `import ${modules.join(', ')}`], { env }).status === 0
      ? false
      : `there is no python3 with ${title}`;

  describe(title, { skip, timeout: 300_000 }, () => {
    const server = useServer();

    for (const scenario of scenarios) {
      test(scenario, async () => {
        const { amqpPort, adminPort } = server();
        const args = [`${clients}${script}`, String(amqpPort), String(adminPort), scenario];
        const { stdout } = await run('python3', args, { env, timeout: 90_000 });
        assert.equal(stdout.trim().split('\n').at(-1), 'done');
      });
    }
  });
}
