import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerError, loadConfiguration } from '../../../src/server/index.ts';
import type { Target } from '../target.ts';

/** A configuration file, as TOML and as JSON. */
export const configuration: Target = {
  name: 'configuration',
  words: [
    'nats-port = ',
    'data = "x"',
    'host = "127.0.0.1"',
    '[a]',
    '[[a]]',
    '"""',
    "'''",
    '{',
    '}',
    '=',
    '\n',
    'true',
    '1e9',
    '0x7f',
    '1979-05-27T07:32:00Z',
    'inf',
    'nan',
    '__proto__',
    'constructor',
    '"admin-port":',
    'memory-max = "1GiB"',
  ],
  seeds: () => [
    Buffer.from('nats-port = 4222\ndata = "data"\nhost = "127.0.0.1"\nlog-level = "info"\n'),
    Buffer.from('{"nats-port": 4222, "data": "data", "host": "127.0.0.1"}'),
  ],
  prepare: () => {
    const directory = mkdtempSync(join(tmpdir(), 'pillarbox-fuzz-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
    return async (input) => {
      for (const name of ['c.toml', 'c.json']) {
        writeFileSync(join(directory, name), input);
        try {
          await loadConfiguration({ flags: { config: name }, directory });
        } catch (error) {
          if (!(error instanceof ServerError)) throw error;
        }
      }
      if (Object.keys(Object.prototype).length > 0)
        throw new Error('the prototype of all objects was changed');
    };
  },
};
