/** The signatures that the AWS SDK and boto3 make, at a server that asks for them. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { uniqueName, useServer } from '../../support/index.ts';
import { skip, sqsAt } from './clients.ts';
import { skipSns, snsAt } from './sns-clients.ts';

const run = promisify(execFile);
// The Python sources are not compiled by tsc: dist*/test/interop/sqs -> test/interop/sqs/clients.
const script = fileURLToPath(
  new URL('../../../../test/interop/sqs/clients/boto3_signed.py', import.meta.url),
);
const folder = process.env['BOTO3_PYTHONPATH'];
const env = {
  ...process.env,
  PYTHONDONTWRITEBYTECODE: '1',
  ...(folder === undefined ? {} : { PYTHONPATH: folder }),
};
const skipPython =
  spawnSync('python3', ['-c', 'import boto3'], { env }).status === 0
    ? false
    : 'there is no python3 with boto3';

const key = { accessKeyId: 'AKIAPILLARBOX', secretAccessKey: 'a/secret+with=signs' };

describe('signatures of the AWS SDK', { skip: skip || skipSns }, () => {
  const server = useServer({
    args: ['--sqs-access-key', key.accessKeyId, '--sqs-secret-key', key.secretAccessKey],
  });

  const region = 'eu-central-1';

  test('are accepted from clients of SQS and SNS that know the secret, with a session token, too', async () => {
    const port = server().sqsPort;
    const sqs = sqsAt(port, { region, credentials: { ...key, sessionToken: 'any' } });
    const { QueueUrl } = await sqs['createQueue']!({ QueueName: uniqueName('signed') });
    await sqs['sendMessage']!({ QueueUrl, MessageBody: 'é\r\n' });
    const sns = snsAt(port, { region, credentials: key });
    const { TopicArn: topic } = await sns['createTopic']!({ Name: 'signed' });
    assert.equal(topic, 'arn:aws:sns:eu-central-1:000000000000:signed');
  });

  test('are refused with another secret or key, in words that the SDK understands', async () => {
    const told = async (credentials: object): Promise<string> => {
      try {
        await sqsAt(server().sqsPort, { region, credentials })['listQueues']!({});
        return 'accepted';
      } catch (error) {
        const { name, $metadata: metadata } = error as {
          name: string;
          $metadata: { httpStatusCode: number };
        };
        return `${metadata.httpStatusCode} ${name}`;
      }
    };
    assert.equal(await told(key), 'accepted');
    assert.match(
      await told({ ...key, secretAccessKey: 'guess' }),
      /^403 (SignatureDoesNotMatch|InvalidSignatureException)$/,
    );
    assert.match(
      await told({ ...key, accessKeyId: 'AKIAOTHER' }),
      /^403 (InvalidClientTokenId|UnrecognizedClientException)$/,
    );
    const sns = snsAt(server().sqsPort, { region, credentials: { ...key, secretAccessKey: 'guess' } });
    await assert.rejects(sns['createTopic']!({ Name: 'a' }), { name: 'SignatureDoesNotMatch' });
  });
});

describe('signatures of boto3', { skip: skipPython }, () => {
  const server = useServer({
    args: ['--sqs-access-key', key.accessKeyId, '--sqs-secret-key', key.secretAccessKey],
  });

  test('are accepted by SQS and SNS, in headers and in presigned URLs', async () => {
    await run('python3', [script, String(server().sqsPort), key.accessKeyId, key.secretAccessKey], { env });
  });
});
