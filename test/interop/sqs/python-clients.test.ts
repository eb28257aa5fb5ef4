/**
 * boto3, by its defaults. It needs a python3 that has it; BOTO3_PYTHONPATH may name a folder to find it in.
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

const folder = process.env['BOTO3_PYTHONPATH'];
const env = {
  ...process.env,
  PYTHONDONTWRITEBYTECODE: '1',
  ...(folder === undefined ? {} : { PYTHONPATH: folder }),
};
const skip =
  spawnSync('python3', ['-c', 'import boto3'], { env }).status === 0
    ? false
    : 'there is no python3 with boto3';

describe('boto3', { skip }, () => {
  const server = useServer();
  for (const scenario of ['work', 'errors', 'resource'])
    test(scenario, async () => {
      await run('python3', [script, String(server().sqsPort), scenario], { env });
    });
});
