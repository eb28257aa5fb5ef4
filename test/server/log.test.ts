import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLog } from '../../src/server/index.ts';

function recordingLog(options: { pretty: boolean; colour?: boolean; level?: 'info' | 'error' }): {
  lines: string[];
  log: ReturnType<typeof createLog>;
} {
  const lines: string[] = [];
  const { pretty, colour = false, level = 'info' } = options;
  return { lines, log: createLog({ level, pretty, colour, write: (line) => lines.push(line) }) };
}

describe('the log', () => {
  test('writes JSON lines, in order, with the time each was said', async () => {
    const { log, lines } = recordingLog({ pretty: false });
    log.info('first', { topic: 'orders' });
    log.warn('second');
    await log.flush();
    log.error('third', { error: new Error('it broke') });
    const entries = lines.map((line) => JSON.parse(line) as { [name: string]: unknown });
    assert.deepEqual(
      entries.map((entry) => entry['msg']),
      ['first', 'second', 'third'],
    );
    assert.equal(entries[0]?.['topic'], 'orders');
    assert.equal((entries[2]?.['error'] as { message: string } | undefined)?.message, 'it broke');
    for (const entry of entries) assert.match(String(entry['time']), /^\d{4}-\d\d-\d\dT/);
  });

  test('writes one-liners for people', () => {
    const { log, lines } = recordingLog({ pretty: true });
    log.warn('disk is nearly full', { topic: 'orders', freeBytes: 12 });
    assert.match(
      lines.join(''),
      /^\d\d:\d\d:\d\d warn {2}disk is nearly full {2}topic=orders {2}freeBytes=12\n$/,
    );
  });

  test('shows people no character that their terminal obeys', () => {
    const { log, lines } = recordingLog({ pretty: true });
    log.info('client \u001B]0;x\u0007 left', { group: 'a\r\u202Eb', error: new Error('\u009B31m') });
    assert.match(lines.join(''), /client \\x1b\]0;x\\x07 left {2}group=a\\r\\u202eb {2}error=\\x9b31m\n$/);
  });

  test('and no program one that its terminal obeys: lines of JSON have escapes', async () => {
    const { log, lines } = recordingLog({ pretty: false });
    log.info('client \u009B31m left', { group: 'a\u202Eb' });
    await log.flush();
    log.info('another \u009B31m', { group: 'a\u202Eb' });
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.match(line, /"group":"a\\u202eb".*\n$/);
      assert.ok(!/[\u009B\u202E]/.test(line));
      assert.equal((JSON.parse(line) as { group: string }).group, 'a\u202Eb');
    }
  });

  test('colours only when told', () => {
    const { log, lines } = recordingLog({ pretty: true, colour: true });
    log.error('no');
    assert.ok(lines.join('').includes('\u001B[31merror'));
  });

  test('leaves out lines less important than its level', () => {
    const { log, lines } = recordingLog({ pretty: true, level: 'error' });
    log.info('quiet');
    log.debug('quieter');
    log.fatal('loud');
    assert.equal(lines.length, 1);
  });
});
