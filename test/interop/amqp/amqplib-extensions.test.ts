/** What RabbitMQ adds to AMQP, with amqplib against a server in a process of its own. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import amqplib, { type Channel, type ChannelModel, type GetMessage } from 'amqplib';
import { eventually, uniqueName, useServer } from '../../support/index.ts';

describe('amqplib', () => {
  const server = useServer();
  let connection: ChannelModel;
  before(async () => {
    connection = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${server().amqpPort}`);
  });
  after(async () => {
    await connection?.close().catch(() => {}); // the server may have stopped before
  });

  /** The next message of a queue. */
  async function take(channel: Channel, queue: string): Promise<GetMessage> {
    let message: GetMessage | false = false;
    await eventually(async () => (message = await channel.get(queue, { noAck: true })));
    return message as unknown as GetMessage;
  }

  test('CC and BCC bring a message to further queues', async () => {
    const channel = await connection.createConfirmChannel();
    const queues = ['to', 'cc', 'bcc'].map(uniqueName);
    for (const queue of queues) await channel.assertQueue(queue, { exclusive: true });
    const [to, cc, bcc] = queues as [string, string, string];
    channel.sendToQueue(to, Buffer.from('x'), { CC: [cc, to], BCC: bcc });
    await channel.waitForConfirms();
    for (const queue of queues) {
      const { fields, properties } = await take(channel, queue);
      assert.equal(fields.routingKey, to);
      assert.deepEqual(properties.headers, { CC: [cc, to] });
      assert.equal(await channel.get(queue), false);
    }
    await channel.close();
  });
});
