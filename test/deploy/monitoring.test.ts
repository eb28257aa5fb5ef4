/** What deploy/ has for Prometheus and Grafana names only metrics that there are. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';

const root = new URL('../../../', import.meta.url);

/** The metrics of docs/admin-api.md, which another test compares with those of a running server. */
async function metricsOf(): Promise<ReadonlySet<string>> {
  const text = await readFile(new URL('docs/admin-api.md', root), 'utf8');
  const [, section = ''] = text.split('## Metrics');
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  const names = rows.flatMap((row) => [...row.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name ?? ''));
  return new Set(names);
}

async function checkNames(path: string, known: ReadonlySet<string>): Promise<void> {
  const text = await readFile(new URL(path, root), 'utf8');
  const used = new Set([...text.matchAll(/\bpillarbox_([a-z_]+)/g)].map(([, name]) => name ?? ''));
  assert.ok(used.size > 5, path);
  for (const name of used)
    assert.ok(known.has(name) || known.has(name.replace(/_bucket$/, '')), `${path} has pillarbox_${name}`);
}

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

describe('monitoring', () => {
  test('rules and dashboard name only metrics that there are', async () => {
    const known = await metricsOf();
    await checkNames('deploy/prometheus/rules.yml', known);
    await checkNames('deploy/grafana/dashboard.json', known);
  });

  test('the dashboard is whole: each panel has queries, a place and an id of its own', async () => {
    const text = await readFile(new URL('deploy/grafana/dashboard.json', root), 'utf8');
    const { panels } = JSON.parse(text) as {
      panels: {
        id: number;
        title: string;
        targets: { expr: string; refId: string }[];
        gridPos: { x: number; y: number; w: number; h: number };
      }[];
    };
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const { title, targets, gridPos } of panels) {
      assert.ok(targets.length > 0 && targets.every(({ expr }) => expr.includes('pillarbox_')), title);
      assert.ok(gridPos.x + gridPos.w <= 24, title);
    }
    for (const [at, one] of panels.entries())
      for (const other of panels.slice(at + 1)) {
        const [a, b] = [one.gridPos, other.gridPos];
        const meet = a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
        assert.ok(!meet, `${one.title} covers ${other.title}`);
      }
  });

  test('each alert has a severity, a summary and a description', async () => {
    const text = await readFile(new URL('deploy/prometheus/rules.yml', root), 'utf8');
    const alerts = text.split(/^ {6}- (?=alert|record)/m).filter((part) => part.startsWith('alert:'));
    assert.ok(alerts.length >= 10);
    for (const alert of alerts)
      for (const key of ['expr:', 'severity:', 'summary:', 'description:'])
        assert.ok(alert.includes(key), alert);
  });

  test('promtool accepts the rules', { skip: hasPromtool ? false : 'promtool is not installed' }, () => {
    const run = (verb: string, path: string): string =>
      execFileSync('promtool', [verb, 'rules', fileURLToPath(new URL(path, root))]).toString();
    assert.match(run('check', 'deploy/prometheus/rules.yml'), /SUCCESS/);
    assert.match(run('test', 'test/deploy/rules-test.yml'), /SUCCESS/);
  });
});
