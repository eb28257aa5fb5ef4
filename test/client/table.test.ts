import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withTable } from './table.ts';

const page = fileURLToPath(new URL('../../../docs/client.md', import.meta.url));

// UPDATE_DOCS=1 node --test dist/test/client/table.test.js writes it.
test('the table of capabilities in docs/client.md is that of the drivers', async () => {
  const document = await readFile(page, 'utf8');
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(page, withTable(document));
  else assert.equal(document, withTable(document));
});
