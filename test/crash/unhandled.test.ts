import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { serveIn } from './serve-in.ts';

/** Loaded into the broker's process: a signal stands for a mistake in our own code. */
const mistakes = [
  ['an uncaught exception', 'throw new Error("planted mistake")'],
  ['an unhandled rejection', 'void Promise.reject(new Error("planted mistake"))'],
] as const;

for (const [name, mistake] of mistakes)
  test(`${name} ends the broker with 70, after one line with its stack`, async () => {
    await using directory = await makeTemporaryDirectory();
    const broker = await serveIn(directory.path, {
      nodeArgs: ['--import', `data:text/javascript,process.on("SIGUSR2",()=>{${mistake}})`],
    });
    try {
      await broker.start();
      broker.signal('SIGUSR2');
      assert.equal(await broker.ended, 70);
      const lines = broker.output.split('\n').filter((line) => line.startsWith('{'));
      assert.equal(lines.length, 1, broker.output);
      const { level, message, error } = JSON.parse(lines[0] ?? '') as Record<string, string>;
      assert.equal(level, 'fatal');
      assert.match(message ?? '', /acknowledges nothing more/);
      assert.match(error ?? '', /planted mistake\n +at /);
    } finally {
      await broker.kill();
    }
  });
