import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProgressBar, renderProgress } from '../../src/cli/progress-bar.ts';
import { renderPairs, renderTable } from '../../src/cli/table.ts';
import { wantsColour } from '../../src/cli/terminal.ts';
import { TopView, keysOf } from '../../src/cli/top-view.ts';
import type { GroupJson, TopicJson } from '../../src/admin-api/index.ts';

describe('colour', () => {
  test('is for terminals, or when forced; NO_COLOR and --no-color win', () => {
    assert.equal(wantsColour(true, {}, false), true);
    assert.equal(wantsColour(false, {}, false), false);
    assert.equal(wantsColour(false, { FORCE_COLOR: '1' }, false), true);
    assert.equal(wantsColour(true, { FORCE_COLOR: '0' }, false), false);
    assert.equal(wantsColour(true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false), false);
    assert.equal(wantsColour(true, { FORCE_COLOR: '1' }, true), false);
    assert.equal(wantsColour(true, { TERM: 'dumb' }, false), false);
  });
});

describe('a table', () => {
  test('aligns its columns', () => {
    const columns = [{ title: 'NAME' }, { title: 'COUNT', align: 'right' }] as const;
    const table = renderTable(columns, [
      ['orders', '5'],
      ['x', '1,000'],
    ]);
    assert.equal(table, 'NAME    COUNT\norders      5\nx       1,000');
  });

  test('is cut to the width of the screen', () => {
    assert.equal(renderTable([{ title: 'VALUE' }], [['abcdefghij']], { columnsMax: 6 }), 'VALUE\nabcde…');
  });

  test('shows one thing as pairs', () => {
    assert.equal(
      renderPairs([
        ['a', '1'],
        ['long', '2'],
      ]),
      'a     1\nlong  2',
    );
  });

  test('does not let a message drive the terminal', () => {
    assert.equal(renderTable([{ title: 'A' }], [['a\u001B[2Jb\nc\u009Bd']]), 'A\na\\x1b[2Jb\\nc\\x9bd');
    assert.equal(renderPairs([['a\u202E', 'b\r']]), 'a\\u202e  b\\r');
  });
});

describe('the progress bar', () => {
  test('shows share, rate and time left', () => {
    assert.equal(
      renderProgress('redriving', 250, 1000, 500),
      `redriving [${'█'.repeat(6)}${'-'.repeat(18)}]  25%  250 of 1,000  500/s  1s left`,
    );
    assert.equal(renderProgress('publishing', 10, undefined, 1000), 'publishing  10  10/s');
  });

  test('draws on a terminal only, and wipes itself', () => {
    const written: string[] = [];
    const write = (text: string): void => void written.push(text);
    {
      using bar = new ProgressBar('work', 10, { isTTY: false, write });
      bar.update(5);
    }
    assert.equal(written.length, 0);
    {
      using bar = new ProgressBar('work', 10, { isTTY: true, write });
      bar.update(5);
    }
    assert.ok(written[0]?.startsWith('\r\u001B[Kwork ['));
    assert.equal(written.at(-1), '\r\u001B[K');
  });
});

describe('the view of top', () => {
  const topics = [
    { name: 'audit', messages: 5, bytes: 9, inPerSecond: 1, outPerSecond: 0, oldestAgeMs: null },
    { name: 'orders', messages: 1, bytes: 1, inPerSecond: 7, outPerSecond: 2, oldestAgeMs: 10 },
    { name: 'prices', messages: 3, bytes: 20, inPerSecond: 0, outPerSecond: 3, oldestAgeMs: 50 },
  ] as unknown as readonly TopicJson[];
  const groups = [
    { topic: 'orders', name: 'billing', lag: 1, inFlight: 0 },
    { topic: 'audit', name: 'log', lag: 9, inFlight: 0 },
  ] as unknown as readonly GroupJson[];
  const names = (view: TopView): string =>
    view
      .arrangeTopics(topics)
      .map(({ name }) => name)
      .join(' ');
  const groupNames = (view: TopView): string =>
    view
      .arrangeGroups(groups)
      .map(({ name }) => name)
      .join(' ');
  const press = (view: TopView, keys: string): string =>
    keysOf(keys)
      .map((key) => view.press(key))
      .at(-1)!;

  test('sorts by one column after the other', () => {
    const view = new TopView();
    assert.equal(names(view), 'orders prices audit');
    press(view, 'ss');
    assert.match(view.footer, /s sort: oldest/);
    assert.equal(names(view), 'prices orders audit');
    press(view, 'sss');
    assert.equal(names(view), 'audit orders prices');
    assert.equal(groupNames(view), 'log billing');
  });

  test('filters as one types', () => {
    const view = new TopView();
    press(view, '/RDX\u007F');
    assert.equal(names(view), 'orders');
    assert.equal(groupNames(view), 'billing');
    assert.equal(press(view, 'q'), 'look', 'a letter like others');
    press(view, '\u007F\r');
    assert.match(view.footer, /filter: RD/);
    assert.equal(press(view, '\u001B'), 'look');
    assert.equal(names(view), 'orders prices audit');
    assert.equal(press(view, 'q'), 'quit');
  });

  test('opens the selected topic, and goes back', () => {
    const view = new TopView();
    names(view);
    press(view, '\u001B[B\u001B[B\u001B[B\u001B[A');
    assert.equal(view.selectedRow, 1);
    assert.equal(press(view, '\r'), 'question');
    assert.equal(view.topic, 'prices');
    assert.equal(names(view), 'prices');
    assert.equal(groupNames(view), '');
    press(view, '\u001B');
    assert.equal(view.topic, undefined);
    assert.equal(press(view, 'p'), 'look');
    assert.equal(view.isPaused, true);
    assert.equal(press(view, ' '), 'question');
  });
});
