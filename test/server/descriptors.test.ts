import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorsMax, shareDescriptors } from '../../src/server/descriptors.ts';

test('the shares of log, admin HTTP and connections leave a reserve of descriptors', () => {
  for (const max of [200, 256, 512, 1024, 4096, 65_536, 1_000_000, Infinity]) {
    const { connectionsMax, adminConnectionsMax, openFilesMax } = shareDescriptors(max);
    assert.ok(connectionsMax + adminConnectionsMax + openFilesMax <= max - 128, `${max}`);
    assert.ok(connectionsMax >= adminConnectionsMax && adminConnectionsMax > 0 && openFilesMax >= 8);
  }
  assert.deepEqual(shareDescriptors(1024), {
    connectionsMax: 560,
    adminConnectionsMax: 112,
    openFilesMax: 224,
    isScarce: false,
  });
  assert.equal(shareDescriptors(Infinity).connectionsMax, 65_536);
});

test('the limit of this process is known, or there is none', () => {
  assert.ok(descriptorsMax() >= 64);
});
