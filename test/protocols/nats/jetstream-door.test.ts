import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LiveMessage, Topic } from '../../../src/broker/index.ts';
import { natsLimits, type JetStream, type NatsSession } from '../../../src/protocols/nats/index.ts';
import { eventually } from '../../support/index.ts';
import { partsOf, says, TestServer } from './nats-kit.ts';

/** Records the calls, and answers as told. */
class Notes implements JetStream {
  readonly calls: string[] = [];
  readonly sessions: NatsSession[] = [];
  answering = true;

  publish(session: NatsSession, message: LiveMessage, topic: Topic): void {
    this.sessions.push(session);
    const { subject, reply, headers, value } = partsOf(message);
    this.calls.push(`publish ${topic.name} ${subject} ${reply ?? '-'} [${headers.join()}] ${value}`);
  }

  ack(_: NatsSession, message: LiveMessage): boolean {
    const { subject, reply, value } = partsOf(message);
    this.calls.push(`ack ${subject} ${reply ?? '-'} ${value}`);
    return this.answering;
  }

  request(_: NatsSession, message: LiveMessage): boolean {
    const { subject, reply, value } = partsOf(message);
    this.calls.push(`request ${subject} ${reply ?? '-'} ${value}`);
    return this.answering;
  }

  sessionClosed(session: NatsSession): void {
    this.calls.push(`closed ${session.clientName}`);
  }
}

const topic = { name: 'ORDERS' } as Topic;

function nobody(subject: string): string {
  const block = `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`;
  return `HMSG r 1 ${block.length} ${block.length}\r\n${block}\r\n`;
}

describe('the door to JetStream', () => {
  it('opens for publishes that a topic captures, after live subscribers had them', async () => {
    const jetStream = new Notes();
    await using server = await TestServer.start({ jetStream });
    server.router.bindTopic('orders.>', topic);
    using client = await server.connect();
    const block = 'NATS/1.0\r\nA: 1\r\n\r\n';
    await says(
      client,
      `SUB orders.* 2\r\nSUB r 1\r\nPUB orders.1 r 2\r\nhi\r\nHPUB orders.2 ${block.length} ${block.length}\r\n${block}\r\nPUB other 0\r\n\r\n`,
      `MSG orders.1 2 r 2\r\nhi\r\nHMSG orders.2 2 ${block.length} ${block.length}\r\n${block}\r\n`,
    );
    assert.deepEqual(jetStream.calls, [
      'publish ORDERS orders.1 r [] hi',
      'publish ORDERS orders.2 - [A: 1] ',
    ]);
    await says(client, 'UNSUB 2\r\nPUB orders.1 r 0\r\n\r\n', '');
    assert.equal(jetStream.calls.length, 3, 'that nobody else listens does not matter');
  });

  it('opens for acks and requests; a subscriber of everything gets them too', async () => {
    const jetStream = new Notes();
    await using server = await TestServer.start({ jetStream });
    using client = await server.connect();
    using curious = await server.connect();
    await says(curious, 'SUB > 1\r\n', '');
    await says(
      client,
      'SUB r 1\r\nPUB $JS.ACK.S.C.1.2.3 4\r\n+ACK\r\nPUB $JS.API.INFO r 0\r\n\r\nPUB $JS.FC.x 0\r\n\r\n',
      '',
    );
    assert.deepEqual(jetStream.calls, [
      'ack $JS.ACK.S.C.1.2.3 - +ACK',
      'request $JS.API.INFO r ',
      'request $JS.FC.x - ',
    ]);
    await says(
      curious,
      '',
      'MSG $JS.ACK.S.C.1.2.3 1 4\r\n+ACK\r\nMSG $JS.API.INFO 1 r 0\r\n\r\nMSG $JS.FC.x 1 0\r\n\r\n',
    );
  });

  it('says "no responders" when JetStream does not answer and there is no subscriber', async () => {
    const jetStream = new Notes();
    jetStream.answering = false;
    await using server = await TestServer.start({ jetStream });
    using client = await server.connect();
    await says(client, 'SUB r 1\r\nPUB $JS.ACK.S.C.1 r 0\r\n\r\n', nobody('$JS.ACK.S.C.1'));
    await says(client, 'PUB $JS.API.X r 0\r\n\r\n', nobody('$JS.API.X'));
    await says(client, 'SUB $JS.API.X 2\r\nPUB $JS.API.X r 0\r\n\r\n', 'MSG $JS.API.X 2 r 0\r\n\r\n');
    server.router.bindTopic('$JS.EVENT.>', topic);
    await says(client, 'PUB $JS.EVENT.x r 0\r\n\r\n', '');
    assert.equal(jetStream.calls.at(-1), 'publish ORDERS $JS.EVENT.x r [] ');
  });

  it('is told when a connection goes, and can hold one back', async () => {
    const jetStream = new Notes();
    await using server = await TestServer.start({ jetStream });
    server.router.bindTopic('orders.>', topic);
    const client = await server.connect({ name: 'shop' });
    await says(client, 'PUB orders.1 0\r\n\r\n', '');
    const session = jetStream.sessions[0]!;
    assert.equal(session.clientName, 'shop');
    session.hold();
    session.hold();
    client.send('PUB orders.2 0\r\n\r\nPING\r\n');
    using other = await server.connect();
    await says(other, 'PUB orders.3 0\r\n\r\n', '');
    session.release();
    await says(other, 'PUB orders.4 0\r\n\r\n', '');
    assert.deepEqual(
      jetStream.calls.map((call) => call.split(' ')[2]),
      ['orders.1', 'orders.3', 'orders.4'],
    );
    session.release();
    await client.expect('PONG\r\n');
    assert.equal(jetStream.calls.at(-1), 'publish ORDERS orders.2 - [] ');
    client.end();
    await client.closed();
    await eventually(() => jetStream.calls.at(-1) === 'closed shop');
    assert.equal(session.closed, true);
  });
});

describe('limits', () => {
  it('of the output leave room for payloads of the largest size', () => {
    const MiB = 1024 * 1024;
    assert.equal(natsLimits().outputBytesMax, 64 * MiB);
    const { outputBytesMax, outputBytesHold } = natsLimits({ payloadBytesMax: 64 * MiB });
    assert.deepEqual([outputBytesMax, outputBytesHold], [256 * MiB, 192 * MiB]);
    assert.equal(natsLimits({ outputBytesMax: MiB }).outputBytesCongested, 0.75 * MiB);
  });
});
