import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownJson, shownText } from '../../src/util/index.ts';

test('text for people is shown as it is', () => {
  for (const text of ['orders', 'eu.berlin > *', 'größe', '注文', 'طلبات', '👩‍👩‍👧 family', 'C:\\data'])
    assert.equal(shownText(text), text);
});

test('characters that a terminal obeys are shown as escapes', () => {
  const shown: { readonly [text: string]: string } = {
    '\u001B[2J\u0007': '\\x1b[2J\\x07', // clear the screen, ring the bell
    '\u001B]0;title\u009C': '\\x1b]0;title\\x9c', // OSC: name the window
    '\u009B31m': '\\x9b31m', // CSI as one character
    'a\rb\nc\td': 'a\\rb\\nc\\td',
    'evil\u202Egpj.exe': 'evil\\u202egpj.exe', // right-to-left override
    '\u2066x\u2069\u200E\u061C': '\\u2066x\\u2069\\u200e\\u061c',
    'line\u2028paragraph\u2029': 'line\\u2028paragraph\\u2029',
    'in\u200Bvisible\uFEFF': 'in\\u200bvisible\\ufeff',
    '\uD83D': '\\ud83d',
    '\u{E0041}': '\\u{e0041}',
  };
  for (const [text, expected] of Object.entries(shown)) assert.equal(shownText(text), expected);
});

test('JSON is shown with escapes of JSON, and reads back as it was', () => {
  const value = { name: '\u009B31m evil\u202Egpj', key: '\u{E0041}\u007F', text: 'größe 👩‍👩‍👧\n' };
  const shown = shownJson(value);
  assert.ok(shown.includes('\\u009b31m evil\\u202egpj'));
  assert.ok(!/[\u007F-\u009F\u202E\u{E0041}]/u.test(shown));
  assert.ok(shown.includes('größe 👩‍👩‍👧'));
  assert.deepEqual(JSON.parse(shown), value);
});
