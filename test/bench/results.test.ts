import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatValue, resultTable } from '../../bench/result-table.ts';
import { updateResults, type Circumstances } from '../../bench/results.ts';
import type { CaseResult } from '../../bench/run.ts';
import { markdownTable, textTable } from '../../bench/table.ts';

const circumstances: Circumstances = {
  date: '2026-01-02',
  command: 'npm run bench -- --write',
  versions: ['pillarbox 1', 'nats-server 2'],
  machine: {
    processor: 'Abacus',
    cores: 2,
    memoryGib: 4,
    kernel: 'Linux 6',
    node: 'v20',
    fileSystem: 'ext4',
    syncLatencyUs: 120,
  },
};

function resultOf(title: string, parts: Partial<CaseResult['rows'][number]> = {}): CaseResult {
  const row = {
    label: '128 B',
    metrics: [
      {
        key: 'rate',
        unit: 'msg/s',
        goals: [{ kind: 'ratio', against: 'nats-server', least: 1.5 }],
      },
    ],
    samples: { pillarbox: [{ rate: 2000 }, { rate: 3000 }], 'nats-server': [{ rate: 1000 }, { rate: 1000 }] },
    failures: {},
    ...parts,
  } satisfies CaseResult['rows'][number];
  return { id: 'core-1-1', title, about: 'About it.', rows: [row], remarks: ['A remark.'] };
}

test('a table has medians, the ratio with minimum and maximum, and the goal', () => {
  assert.deepEqual(resultTable(resultOf('T')), [
    ['', 'pillarbox', 'nats-server', '÷ nats-server (min–max)', 'goal'],
    ['128 B', '2,500 msg/s', '1,000 msg/s', '2.50× (2.00×–3.00×)', '≥ 1.5× reached'],
  ]);
});

test('a goal that was not reached is said to be missed', () => {
  const slow = { samples: { pillarbox: [{ rate: 1400 }], 'nats-server': [{ rate: 1000 }] } };
  assert.equal(resultTable(resultOf('T', slow))[1]?.at(-1), '≥ 1.5× missed');
});

test('a server that was not there has no columns, and a goal no verdict', () => {
  const alone = { samples: { 'nats-server': [{ rate: 1000 }] } };
  assert.deepEqual(resultTable(resultOf('T', alone)), [
    ['', 'nats-server', 'goal'],
    ['128 B', '1,000 msg/s', '≥ 1.5×'],
  ]);
});

test('a failure is shown in the table and told below it', () => {
  const failed = { samples: {}, failures: { pillarbox: 'it\nbroke' } };
  assert.equal(resultTable(resultOf('T', failed))[1]?.[1], 'failed');
  const file = updateResults('', [resultOf('T', failed)], circumstances);
  assert.ok(file.includes('- 128 B, pillarbox failed: it broke'));
});

test('cores are shown in the order of the servers', () => {
  const cores = {
    samples: {
      pillarbox: [{ rate: 1, serverCores: 1, loadCores: 0.25 }],
      'nats-server': [{ rate: 1, serverCores: 1.5, loadCores: 0.5 }],
    },
  };
  assert.deepEqual(resultTable(resultOf('T', cores))[1]?.slice(-2), ['1.00 / 1.50', '0.25 / 0.50']);
});

test('values have three significant digits', () => {
  assert.equal(formatValue(1_234_567, 'msg/s'), '1,230,000 msg/s');
  assert.equal(formatValue(0.123_45, 's/GiB'), '0.123 s/GiB');
  assert.equal(formatValue(0, 'messages'), '0 messages');
  assert.equal(formatValue(1.304, '×'), '1.3×');
  assert.equal(formatValue(Number.NaN, 'ms'), '–');
});

test('columns are aligned', () => {
  const table = [
    ['', 'one'],
    ['name', '1'],
  ];
  assert.equal(textTable(table), '      one\nname    1');
  assert.equal(markdownTable(table), '|      | one |\n| ---- | --: |\n| name |   1 |');
});

test('a run replaces its own sections of the results and keeps the others', () => {
  const first = updateResults('', [resultOf('Request and reply'), resultOf('Start-up')], circumstances);
  const noted = `${first}\n## Notes\n\nWritten by hand.\n`;
  const again = { ...circumstances, date: '2026-03-04' };
  const second = updateResults(noted, [resultOf('Start-up')], again);
  assert.deepEqual(second.match(/^## .*/gm), ['## Request and reply', '## Start-up', '## Notes']);
  assert.equal(second.match(/2026-01-02/g)?.length, 1);
  assert.equal(second.match(/2026-03-04/g)?.length, 1);
  assert.ok(second.includes('Written by hand.'));
  assert.equal(updateResults(second, [resultOf('Start-up')], again), second);
});
