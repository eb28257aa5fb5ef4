import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServer } from '../../../src/server/index.ts';
import { makeTemporaryDirectory } from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';

test('the metrics token reads the metrics, and nothing else', async () => {
  await using directory = await makeTemporaryDirectory();
  const server = await startServer({
    data: join(directory.path, 'data'),
    ...protocolsOff,
    adminPort: 0,
    adminToken: 'admin',
    metricsToken: 'metrics',
    loginDelayMsMax: 0,
    adminBasePath: '/broker',
  });
  const statusOf = async (path: string, token: string, method = 'GET'): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`http://127.0.0.1:${server.ports.admin}${path}`, { method, headers });
    const body = await response.text();
    if (path.includes('/metrics') && response.ok) {
      assert.match(body, /^pillarbox_protocol_requests_total\{protocol="admin"\} \d+$/m);
      assert.match(body, /^pillarbox_gc_runs_total\{kind="major"\} \d+$/m);
      assert.match(body, /^pillarbox_memory_mark_bytes [1-9]\d+$/m);
      assert.match(body, /^pillarbox_event_loop_busy_seconds_total 0*\.?\d/m);
    }
    return response.status;
  };
  try {
    assert.equal(await statusOf('/metrics', 'metrics'), 200);
    assert.equal(await statusOf('/metrics?x=1', 'metrics'), 200);
    assert.equal(await statusOf('/metrics', 'admin'), 200);
    assert.equal(await statusOf('/broker/metrics', 'metrics'), 200);
    assert.equal(await statusOf('/broker/metrics?x=1', 'metrics'), 200);
    assert.equal(await statusOf('/metrics', 'other'), 401);
    for (const path of [
      '/api/v1/server',
      '/api/v1/topics',
      '/api/v1/alarms',
      '/metrics/',
      '//metrics',
      '/other/metrics',
    ])
      assert.notEqual(await statusOf(path, 'metrics'), 200, path);
    assert.equal(await statusOf('/metrics', 'metrics', 'POST'), 401);
  } finally {
    await server.close({ graceMs: 0 });
  }
});
