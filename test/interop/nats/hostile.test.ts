/**
 * Hostile or broken clients. Each test shows the same: the server lives, other clients do not notice (the
 * canary), and memory stays in proportion to the bytes received.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { WireClient, eventually, useServer } from '../../support/index.ts';
import { lines, shakeHands } from './handshake.ts';

const MIB = 1024 * 1024;

describe('hostile NATS clients', { timeout: 60_000 }, () => {
  const server = useServer();

  const checkCanary = async (subject: string): Promise<void> => {
    using canary = await shakeHands(server().natsPort);
    await canary.exchange(
      lines(`SUB ${subject} 1`, `PUB ${subject} 2`, 'ok', 'PING'),
      lines(`MSG ${subject} 1 2`, 'ok', 'PONG'),
    );
  };

  /** Resident memory of the server, or undefined where there is no /proc. */
  const readResidentBytes = async (): Promise<number | undefined> => {
    const status = await readFile(`/proc/${server().pid}/status`, 'utf8').catch(() => '');
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  };

  test('100,000 subscriptions on one connection', async () => {
    const count = 100_000;
    using client = await shakeHands(server().natsPort);
    const all = Array.from({ length: count }, (_, i) => `SUB hostile.${i % 1000}.${i} ${i}\r\n`).join('');
    client.send(`${all}PING\r\n`);
    await client.expect('PONG\r\n');
    await checkCanary('hostile.canary');
    await client.exchange(
      lines('PUB hostile.999.99999 2', 'hi', 'PING'),
      lines('MSG hostile.999.99999 99999 2', 'hi', 'PONG'),
    );
    const unsubscribe = Array.from({ length: count }, (_, i) => `UNSUB ${i}\r\n`).join('');
    await client.exchange(`${unsubscribe}PUB hostile.1.1 0\r\n\r\nPING\r\n`, 'PONG\r\n');
  });

  test('100,000 subscriptions to one subject, and the connection goes away', async () => {
    const count = 100_000;
    {
      using client = await shakeHands(server().natsPort);
      const all = Array.from({ length: count }, (_, i) => `SUB hostile.same ${i}\r\n`).join('');
      await client.exchange(`${all}PING\r\n`, 'PONG\r\n');
    }
    using other = await shakeHands(server().natsPort);
    other.send(lines('SUB hostile.inbox 1'));
    await eventually(
      async () => {
        other.send(lines('PUB hostile.same hostile.inbox 0', '', 'PING'));
        return (await other.readThrough('PONG\r\n')).includes('503');
      },
      { message: 'the subscriptions to be gone' },
    );
  });

  test('a client that never reads does not stop the others', async (t) => {
    using silent = await shakeHands(server().natsPort);
    using subscriber = await shakeHands(server().natsPort);
    await silent.exchange(lines('SUB hostile.flood 1', 'PING'), lines('PONG'));
    await subscriber.exchange(lines('SUB hostile.canary 1', 'PING'), lines('PONG'));
    silent.pause();
    const before = await readResidentBytes();
    using publisher = await shakeHands(server().natsPort);
    const payload = 'x'.repeat(128 * 1024);
    const message = lines(`PUB hostile.flood ${payload.length}`, payload);
    // Twice the output that nats-server keeps for a connection before it cuts it.
    const messages = (128 * MIB) / payload.length;
    for (let sent = 0; sent < messages; sent += 16) {
      await publisher.exchange(`${message.repeat(16)}PING\r\n`, 'PONG\r\n');
      await subscriber.exchange(
        lines('PUB hostile.canary 2', 'ok', 'PING'),
        lines('MSG hostile.canary 1 2', 'ok', 'PONG'),
      );
    }
    const after = await readResidentBytes();
    if (before === undefined || after === undefined) return t.diagnostic('no /proc: memory not checked');
    const growth = after - before;
    assert.ok(growth < 192 * MIB, `the server grew by ${Math.round(growth / MIB)} MiB`);
  });

  test('announced bytes cost nothing until they come', async (t) => {
    const before = await readResidentBytes();
    const clients: WireClient[] = [];
    for (let i = 0; i < 200; i += 1) {
      const client = await shakeHands(server().natsPort);
      client.send(`PUB hostile.announced ${MIB}\r\n`);
      clients.push(client);
    }
    await checkCanary('hostile.canary.announced');
    const after = await readResidentBytes();
    for (const client of clients) client[Symbol.dispose]();
    if (before === undefined || after === undefined) return t.diagnostic('no /proc: memory not checked');
    const growth = after - before;
    assert.ok(growth < 64 * MIB, `the server grew by ${Math.round(growth / MIB)} MiB for 200 announced MiB`);
  });

  test('connections that say nothing, half a line, or leave in the middle', async () => {
    const clients: WireClient[] = [];
    for (const sent of [
      '',
      'CONN',
      'CONNECT {"verb',
      'PUB hostile.half 10\r\nhalf',
      'HPUB hostile.half 12 20\r\nNATS/1.0\r\n',
    ]) {
      for (let i = 0; i < 20; i += 1) {
        const client = await WireClient.open(server().natsPort);
        client.send(sent);
        clients.push(client);
      }
    }
    await checkCanary('hostile.canary.half');
    for (const [i, client] of clients.entries()) {
      if (i % 2 === 0) client.end();
      else client[Symbol.dispose]();
    }
    await checkCanary('hostile.canary.gone');
    for (const client of clients) client[Symbol.dispose]();
  });

  test('random bytes', async () => {
    // A fixed sequence, so that a failure can be seen again.
    let state = 42;
    const nextByte = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 16) & 0xff;
    };
    for (let round = 0; round < 50; round += 1) {
      using client = await WireClient.open(server().natsPort);
      await client.line();
      client.send(Uint8Array.from({ length: 500 }, nextByte));
      client.end();
      await client.closed();
    }
    await checkCanary('hostile.canary.random');
  });

  test('hostile JSON to the API', async () => {
    using client = await shakeHands(server().natsPort);
    client.send(lines('SUB hostile.api 1'));
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const bodies = [
      '{',
      '[]',
      'null',
      '1',
      '"x"',
      '{"name":{}}',
      '{"name":1}',
      '{"max_msgs":1e999}',
      '{"max_msgs":"x"}',
      '{"__proto__":{"name":"x"}}',
      deep,
    ];
    for (const body of bodies) {
      client.send(lines(`PUB $JS.API.STREAM.CREATE.hostile hostile.api ${body.length}`, body));
      const header = await client.line();
      assert.match(header, /^MSG hostile\.api 1 \d+$/, body.slice(0, 40));
      const answer = JSON.parse(await client.line()) as { error?: { err_code: number } };
      assert.ok(answer.error, `no error for ${body.slice(0, 40)}`);
    }
    await client.exchange('PING\r\n', 'PONG\r\n');
  });
});
