import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { serveIn } from './serve-in.ts';

const connectLine = 'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n';

/** A connection that counts the verbs it receives, and remembers the first of each kind. */
class Counter {
  readonly socket: Socket;
  readonly #counts = new Map<string, number>();
  readonly #kinds: readonly string[];
  #rest = '';
  #changed: () => void = () => {};

  constructor(socket: Socket, kinds: readonly string[]) {
    this.socket = socket;
    this.#kinds = kinds;
    socket.setEncoding('latin1').on('data', (text: string) => this.#take(text));
    socket.on('error', () => {});
    socket.on('close', () => this.#changed());
  }

  static async open(port: number, kinds: readonly string[]): Promise<Counter> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.write(connectLine);
    return new Counter(socket, kinds);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop()!;
    for (const line of lines)
      for (const kind of this.#kinds) if (line.includes(kind)) this.#counts.set(kind, this.count(kind) + 1);
    this.#changed();
  }

  count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      assert.ok(!this.socket.destroyed, 'the connection stays');
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  async write(text: string): Promise<void> {
    if (!this.socket.write(text)) await once(this.socket, 'drain');
  }
}

test('a broker with a heap of 256 MiB outlives 600,000 SUB and 30,000 STREAM.CREATE, and refuses the excess', async () => {
  await using directory = await makeTemporaryDirectory();
  const broker = await serveIn(directory.path, {
    args: ['--disk-free-min', '0'],
    nodeArgs: ['--max-old-space-size=256'],
  });
  await broker.start();
  try {
    const tooMany = "-ERR 'maximum subscriptions exceeded'";
    const subscriber = await Counter.open(broker.port, [tooMany, 'PONG']);
    for (let from = 0; from < 600_000; from += 2000) {
      const lines = Array.from({ length: 2000 }, (_, at) => `SUB some.subject.${from + at} ${from + at}\r\n`);
      await subscriber.write(lines.join(''));
    }
    await subscriber.write('PING\r\n');
    await subscriber.until(() => subscriber.count('PONG') > 0);
    assert.ok(subscriber.count(tooMany) > 100_000, `${subscriber.count(tooMany)} refused`);
    assert.ok(subscriber.count(tooMany) < 550_000, `${subscriber.count(tooMany)} refused`);
    subscriber.socket.destroy();

    const full = ['"err_code":10027', '"err_code":10028'];
    const creator = await Counter.open(broker.port, ['"did_create":true', ...full]);
    await creator.write('SUB answers.> 1\r\n');
    const answered = (): number =>
      ['"did_create":true', ...full].reduce((sum, kind) => sum + creator.count(kind), 0);
    const count = 30_000;
    for (let at = 0; at < count; at++) {
      const config = JSON.stringify({ name: `s${at}`, subjects: [`s.${at}`] });
      await creator.write(`PUB $JS.API.STREAM.CREATE.s${at} answers.${at} ${config.length}\r\n${config}\r\n`);
      if (at % 500 === 499) await creator.until(() => answered() > at - 1000);
    }
    await creator.until(() => answered() === count);
    assert.ok(creator.count('"did_create":true') >= 1000);
    assert.ok(creator.count(full[0]!) + creator.count(full[1]!) > 1000);
    creator.socket.destroy();

    // Refused objects do not exist; created objects do, after a start too.
    const made = creator.count('"did_create":true');
    assert.equal(await broker.stop(), 0);
    await broker.start();
    const reader = await Counter.open(broker.port, [`"streams":${made},`]);
    await reader.write('SUB answers 1\r\nPUB $JS.API.INFO answers 0\r\n\r\n');
    await reader.until(() => reader.count(`"streams":${made},`) === 1);
    reader.socket.destroy();
  } finally {
    await broker.kill();
  }
});
