/**
 * boto3 by its defaults: a current one, which speaks AWS JSON, and one from before that, which speaks Query.
 * They need a python3; BOTO3_PYTHONPATH and BOTO3_QUERY_PYTHONPATH name the folders to find them in. Without
 * the first, the boto3 of python3 is taken.
 */
import { execFile, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { useServer } from '../../support/index.ts';

const run = promisify(execFile);
// The Python sources are not compiled by tsc: dist*/test/interop/sqs -> test/interop/sqs/clients.
const script = fileURLToPath(
  new URL('../../../../test/interop/sqs/clients/boto3_client.py', import.meta.url),
);

function environment(folder: string | undefined): NodeJS.ProcessEnv {
  const more = folder === undefined ? {} : { PYTHONPATH: folder };
  return { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...more };
}

/** Why a client cannot be had; `false` if it can. */
function missing(env: NodeJS.ProcessEnv, name: string): string | false {
  const { status } = spawnSync('python3', ['-c', 'import boto3'], { env });
  return status === 0 ? false : `there is no python3 with ${name}`;
}

const { BOTO3_PYTHONPATH: folder, BOTO3_QUERY_PYTHONPATH: oldFolder } = process.env;
const current = environment(folder);
const old = environment(oldFolder);

const clients = [
  { protocol: 'json', env: current, skip: missing(current, 'boto3') },
  {
    protocol: 'query',
    env: old,
    skip: oldFolder === undefined ? 'BOTO3_QUERY_PYTHONPATH is not set' : missing(old, 'an old boto3'),
  },
];

for (const { protocol, env, skip } of clients)
  describe(`boto3 in ${protocol}`, { skip }, () => {
    const server = useServer();
    for (const scenario of ['work', 'errors', 'resource'])
      test(scenario, async () => {
        await run('python3', [script, String(server().sqsPort), scenario, protocol], { env });
      });
  });
