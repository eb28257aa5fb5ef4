import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { allPlaces } from '../../src/cli/completion/places.ts';
import { type Shell, scripts } from '../../src/cli/completion/scripts.ts';
import { commands } from '../../src/cli/program.ts';
import { makeTemporaryDirectory } from '../support/index.ts';

const places = await allPlaces();

function isThere(shell: Shell): boolean {
  return spawnSync(shell, ['--version']).status === 0;
}

async function run(shell: Shell, script: string): Promise<string> {
  await using directory = await makeTemporaryDirectory();
  const file = join(directory.path, 'script');
  await writeFile(file, script);
  // fish would make its folders in the home directory.
  const args = shell === 'fish' ? ['--no-config', file] : [file];
  const env = { ...process.env, HOME: directory.path, XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' };
  const { status, stdout, stderr } = spawnSync(shell, args, { encoding: 'utf8', env });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.trim();
}

describe('completion', () => {
  test('knows every command, its subcommands and their options', () => {
    const paths = places.map(({ path }) => path);
    for (const { name } of commands) assert.ok(paths.includes(name), name);
    const update = places.find(({ path }) => path === 'topics update');
    assert.ok(update?.options.some(({ name, takesValue }) => name === '--max-bytes' && takesValue));
    assert.ok(places.some(({ path, options }) => path === 'serve' && options.length > 50));
  });

  test('completes in bash', { skip: isThere('bash') ? false : 'there is no bash' }, async () => {
    const completed = async (...words: readonly string[]): Promise<readonly string[]> => {
      const out = await run(
        'bash',
        `${scripts.bash(places)}
COMP_WORDS=(pillarbox ${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
_pillarbox
printf '%s\\n' "\${COMPREPLY[@]}"`,
      );
      return out.split('\n');
    };
    assert.deepEqual(await completed('top'), ['topics', 'top']);
    assert.deepEqual(await completed('topics', 'u'), ['update']);
    assert.deepEqual(await completed('topics', 'update', 'orders', '--max-b'), ['--max-bytes']);
    assert.deepEqual(await completed('--no-color', 'groups', 'pause', '--f'), ['--for']);
    assert.deepEqual(await completed('serve', '--nats-po'), ['--nats-port']);
  });

  test('is valid for zsh', { skip: isThere('zsh') ? false : 'there is no zsh' }, async () => {
    await run('zsh', `compdef() {}\n${scripts.zsh(places)}`);
  });

  test('completes in fish', { skip: isThere('fish') ? false : 'there is no fish' }, async () => {
    const script = `${scripts.fish(places)}\ncomplete -C 'pillarbox topics up'`;
    assert.match(await run('fish', script), /^update\t/);
  });
});
