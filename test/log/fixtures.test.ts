import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readArchive } from './fixtures/archive.ts';
import { VirtualClock } from '../../src/util/index.ts';
import { describeBroker, openFixture } from './fixtures/content.ts';
import { describeProtocols } from './fixtures/estate.ts';

const archives = readdirSync(new URL('../../../test/log/fixtures/', import.meta.url))
  .filter((name) => name.endsWith('.json.gz'))
  .map((name) => name.slice(0, -'.json.gz'.length));

/** `now` without the members that `held` does not have: settings that a later release brought. */
function within(now: unknown, held: unknown): unknown {
  if (Array.isArray(now) && Array.isArray(held)) return now.map((item, at) => within(item, held[at]));
  if (typeof now !== 'object' || now === null || typeof held !== 'object' || held === null) return now;
  if (Array.isArray(now) || Array.isArray(held)) return now;
  const known = held as { readonly [name: string]: unknown };
  return Object.fromEntries(
    Object.entries(now)
      .filter(([name]) => name in known)
      .map(([name, value]) => [name, within(value, known[name])]),
  );
}

/** The expected state, with today's names of settings. */
function renamed(held: unknown): unknown {
  if (Array.isArray(held)) return held.map(renamed);
  if (typeof held !== 'object' || held === null) return held;
  const { backoffReplacesDeadline: isDeadline, ...rest } = held as { readonly [name: string]: unknown };
  const same = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, renamed(value)]));
  return isDeadline === undefined
    ? same
    : { ...same, backoffMeans: isDeadline === true ? 'deadline' : 'wait' };
}

describe('a data directory of an earlier release', () => {
  test('is kept here in several conditions, of both formats', () => {
    for (const release of ['0.1.0', '0.1.0-format-2', '0.1.0-format-2-estate'])
      for (const ending of ['stopped', 'killed'])
        assert.ok(archives.includes(`${release}-${ending}`), archives.join());
  });

  for (const name of archives) {
    test(`${name} opens, and everything is there, also after a stop and after a kill`, async () => {
      const { files, held: heldThen, told } = await readArchive(name);
      const held = renamed(heldThen);
      const startMs = told && { startMs: told.atMs };
      const first = await openFixture(files, new VirtualClock(startMs));
      assert.deepEqual(within(await describeBroker(first.broker), held), held);
      const killed = files.copy();
      await first.broker.close();
      for (const again of [files, killed]) {
        const { broker } = await openFixture(again, new VirtualClock(startMs));
        assert.deepEqual(within(await describeBroker(broker), held), held);
        await broker.close();
      }
      if (!told) return;
      const { atMs, ...protocols } = told;
      const now = await describeProtocols(files, new VirtualClock({ startMs: atMs }));
      assert.deepEqual(within(now, protocols), protocols);
    });
  }
});
