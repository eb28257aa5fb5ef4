/**
 * Transcripts of JetStream on the wire: header blocks as they were published, sizes to the byte, the end of
 * the server.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  eventually,
  parallel,
  startServer,
  uniqueName,
  useServer,
  type WireClient,
} from '../../support/index.ts';
import { SECOND_NS } from './clients.ts';
import { lines, shakeHands } from './handshake.ts';

const block = 'NATS/1.0\r\nA:1\r\nB C:  2 \r\nno colon\r\nD: 3\r\n\r\n';

/** A request to the API on subscription 1, which it makes; the body of the answer. */
async function ask(client: WireClient, subject: string, body: object | string = ''): Promise<Answer> {
  const inbox = uniqueName('inbox');
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  client.send(
    `SUB ${inbox} 1\r\nPUB $JS.API.${subject} ${inbox} ${payload.length}\r\n${payload}\r\nUNSUB 1 1\r\n`,
  );
  const head = await client.line();
  const answer = JSON.parse(await client.line()) as Answer;
  assert.match(head, /^MSG /);
  return answer;
}

interface Answer {
  readonly error?: object;
  readonly message?: { readonly hdrs: string };
  readonly config?: { readonly name: string };
}

async function withStream(client: WireClient, further: object = {}): Promise<string> {
  const name = uniqueName('wire');
  const { error } = await ask(client, `STREAM.CREATE.${name}`, { name, allow_direct: true, ...further });
  assert.equal(error, undefined);
  return name;
}

async function withConsumer(client: WireClient, stream: string, config: object): Promise<void> {
  const body = { stream_name: stream, config: { durable_name: 'c', ack_policy: 'explicit', ...config } };
  const { error } = await ask(client, `CONSUMER.CREATE.${stream}.c`, body);
  assert.equal(error, undefined);
}

describe('JetStream on the wire', parallel, () => {
  const server = useServer();

  test('headers come back byte for byte: live, delivered, got', async () => {
    using client = await shakeHands(server().natsPort);
    const stream = await withStream(client);
    await withConsumer(client, stream, {});
    client.send(`SUB ${stream} 2\r\n`);
    const total = block.length + 2;
    client.send(`HPUB ${stream} ${block.length} ${total}\r\n${block}hi\r\n`);
    await client.expect(`HMSG ${stream} 2 ${block.length} ${total}\r\n${block}hi\r\n`);
    client.send(`UNSUB 2\r\n`);
    const { message } = await ask(client, `STREAM.MSG.GET.${stream}`, { seq: 1 });
    assert.equal(Buffer.from(message!.hdrs, 'base64').toString('latin1'), block);

    const inbox = uniqueName('inbox');
    client.send(`SUB ${inbox} 3\r\nPUB $JS.API.CONSUMER.MSG.NEXT.${stream}.c ${inbox} 1\r\n1\r\n`);
    const head = await client.line();
    assert.match(head, new RegExp(`^HMSG \\S+ 3 \\$JS\\.ACK\\S+ ${block.length} ${total}$`));
    await client.expect(`${block}hi\r\n`);

    client.send(`PUB $JS.API.DIRECT.GET.${stream} ${inbox} 9\r\n{"seq":1}\r\n`);
    await client.line();
    await client.expect(block.slice(0, -2));
    assert.equal(await client.line(), `Nats-Stream: ${stream}`);
  });

  test('an empty header block is a header block', async () => {
    using client = await shakeHands(server().natsPort);
    const stream = await withStream(client);
    await withConsumer(client, stream, {});
    const empty = 'NATS/1.0\r\n\r\n';
    client.send(`HPUB ${stream} 12 14\r\n${empty}hi\r\n`);
    const inbox = uniqueName('inbox');
    client.send(`SUB ${inbox} 3\r\nPUB $JS.API.CONSUMER.MSG.NEXT.${stream}.c ${inbox} 1\r\n1\r\n`);
    assert.match(await client.line(), / 12 14$/);
    await client.expect(`${empty}hi\r\n`);
  });

  for (const [headers, what] of [
    ['', 'without headers'],
    ['NATS/1.0\r\nA: 1\r\n\r\n', 'with headers'],
    [block, 'with odd headers'],
  ] as const) {
    test(`max_bytes counts to the byte, ${what}`, async () => {
      using client = await shakeHands(server().natsPort);
      const stream = await withStream(client);
      await withConsumer(client, stream, { ack_wait: 60 * SECOND_NS });
      // Ten messages: how many are pending changes its digits after the first.
      for (let i = 0; i < 10; i++) {
        const head =
          headers === '' ? `PUB ${stream} 4` : `HPUB ${stream} ${headers.length} ${headers.length + 4}`;
        client.send(`${head}\r\n${headers}body\r\n`);
      }
      const ack = `$JS.ACK.${stream}.c.1.1.1.${'0'.repeat(19)}.9`;
      const size = stream.length + ack.length + headers.length + 4;
      const inbox = uniqueName('inbox');
      const pull = (bytes: number): string => {
        const body = JSON.stringify({ batch: 2, max_bytes: bytes, expires: SECOND_NS * 20 });
        return `PUB $JS.API.CONSUMER.MSG.NEXT.${stream}.c ${inbox} ${body.length}\r\n${body}\r\n`;
      };
      client.send(`SUB ${inbox} 3\r\n${pull(size - 1)}`);
      await client.line();
      assert.equal(await client.line(), 'NATS/1.0 409 Message Size Exceeds MaxBytes');
      assert.equal(await client.line(), 'Nats-Pending-Messages: 2');
      assert.equal(await client.line(), `Nats-Pending-Bytes: ${size - 1}`);
      await client.expect('\r\n\r\n');
      client.send(pull(size));
      assert.match(await client.line(), /MSG .*\$JS\.ACK/);
      await client.expect(`${headers}body\r\n`);
      await client.exchange('PING\r\n', 'PONG\r\n');
    });
  }

  test('an ack of a consumer that takes none has no responders', async () => {
    using client = await shakeHands(server().natsPort);
    const stream = await withStream(client);
    await withConsumer(client, stream, { ack_policy: 'none' });
    client.send(`PUB ${stream} 2\r\nhi\r\n`);
    const inbox = uniqueName('inbox');
    client.send(`SUB ${inbox} 3\r\nPUB $JS.API.CONSUMER.MSG.NEXT.${stream}.c ${inbox} 1\r\n1\r\n`);
    const [, , , ack] = (await client.line()).split(' ');
    await client.line();
    client.send(`PUB ${ack} ${inbox} 0\r\n\r\n`);
    await client.line();
    assert.equal(await client.line(), 'NATS/1.0 503');
  });

  test('pulls that wait hear of the end of the server', async () => {
    await using ending = await startServer();
    using client = await shakeHands(ending.natsPort);
    const stream = await withStream(client);
    await withConsumer(client, stream, {});
    const body = JSON.stringify({ batch: 3, expires: 60 * SECOND_NS });
    client.send(lines(`SUB in 3`, `PUB $JS.API.CONSUMER.MSG.NEXT.${stream}.c in ${body.length}`, body));
    await client.exchange('PING\r\n', 'PONG\r\n');
    const stopped = ending.stop();
    const head = await client.line();
    assert.match(head, /^HMSG in 3 /);
    assert.equal(await client.line(), 'NATS/1.0 409 Server Shutdown');
    assert.equal(await client.line(), 'Nats-Pending-Messages: 3');
    assert.equal(await client.line(), 'Nats-Pending-Bytes: 0');
    client.end();
    await stopped;
  });

  test('a message in flight when the server ends goes out again after its ack wait, not at once', async () => {
    await using ending = await startServer();
    {
      using client = await shakeHands(ending.natsPort);
      await ask(client, 'STREAM.CREATE.s', { name: 's' });
      await withConsumer(client, 's', { ack_wait: 3 * SECOND_NS });
      client.send(lines('PUB s 2', 'hi', 'SUB in 3', 'PUB $JS.API.CONSUMER.MSG.NEXT.s.c in 1', '1'));
      assert.match(await client.line(), /\$JS\.ACK\.s\.c\.1\.1\.1\./);
    }
    await ending.restart();
    using client = await shakeHands(ending.natsPort);
    const pull = (body: string): string => lines(`PUB $JS.API.CONSUMER.MSG.NEXT.s.c in ${body.length}`, body);
    client.send(`SUB in 3\r\n${pull('{"no_wait":true}')}`);
    await client.line();
    assert.equal(await client.line(), 'NATS/1.0 404 No Messages');
    await client.expect('\r\n\r\n');
    client.send(pull(`{"expires":${20 * SECOND_NS}}`));
    const delivered = await eventually(() => client.line());
    assert.match(delivered, /\$JS\.ACK\.s\.c\.2\.1\.2\./);
  });
});
