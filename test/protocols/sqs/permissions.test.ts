import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SqsServer } from './sqs-kit.ts';

const arn = 'arn:aws:sqs:us-east-1:000000000000:orders';

describe('a permission', () => {
  test('is a statement of the policy, until it is removed', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    const policy = async (): Promise<unknown> => {
      const attributes = await server.attributes(QueueUrl, 'Policy');
      return attributes && JSON.parse(attributes.Policy);
    };
    const one = { QueueUrl, Label: 'one', AWSAccountIds: ['111111111111'], Actions: ['ReceiveMessage'] };
    await server.call('AddPermission', one);
    const statement = {
      Sid: 'one',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111111111111:root' },
      Action: 'SQS:ReceiveMessage',
      Resource: arn,
    };
    const written = { Version: '2008-10-17', Id: `${arn}/SQSDefaultPolicy`, Statement: [statement] };
    assert.deepEqual(await policy(), written);
    const accounts = ['111111111111', '222222222222'];
    const Actions = ['SendMessage', '*'];
    await server.call('AddPermission', { QueueUrl, Label: 'two', AWSAccountIds: accounts, Actions });
    const second = {
      ...statement,
      Sid: 'two',
      Principal: { AWS: accounts.map((account) => `arn:aws:iam::${account}:root`) },
      Action: ['SQS:SendMessage', 'SQS:*'],
    };
    assert.deepEqual(await policy(), { ...written, Statement: [statement, second] });
    assert.equal(
      await server.told('AddPermission', one),
      '400 InvalidParameterValue: Value one for parameter Label is invalid. Reason: Already exists.',
    );
    await server.call('RemovePermission', { QueueUrl, Label: 'two' });
    assert.deepEqual(await policy(), written);
    await server.call('RemovePermission', { QueueUrl, Label: 'one' });
    assert.equal(await policy(), undefined);
    assert.equal(
      await server.told('RemovePermission', { QueueUrl, Label: 'one' }),
      "400 InvalidParameterValue: Value one for parameter Label is invalid. Reason: can't find label.",
    );
  });

  for (const [what, input, says] of [
    ['an unknown action', { Actions: ['Dance'] }, /Value SQS:Dance for parameter ActionName is invalid/],
    ['a short account', { AWSAccountIds: ['1'] }, /Value 1 for parameter PrincipalId is invalid/],
    ['a label with a blank', { Label: 'a b' }, /Value a b for parameter Label is invalid/],
    ['no actions', { Actions: [] }, /^400 MissingParameter/],
    ['eight actions', { Actions: Array.from({ length: 8 }, () => 'SendMessage') }, /^403 OverLimit/],
  ] as const)
    test(`is refused with ${what}`, async () => {
      await using server = await SqsServer.start();
      const given = { Label: 'a', AWSAccountIds: ['111111111111'], Actions: ['SendMessage'] };
      const QueueUrl = await server.queue('orders');
      assert.match(await server.told('AddPermission', { QueueUrl, ...given, ...input }), says);
    });

  test('needs a policy that can be read', async () => {
    await using server = await SqsServer.start();
    assert.equal(
      await server.told('CreateQueue', { QueueName: 'orders', Attributes: { Policy: '{"Statement":[1]}' } }),
      '400 InvalidAttributeValue: Invalid value for the parameter Policy.',
    );
  });
});
