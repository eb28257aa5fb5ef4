import type { TestEvent } from 'node:test/reporters';

/** Where `npm test` writes everything. */
const logFile = 'dist/test.log';
const dotsPerLine = 100;

/**
 * The reporter of `npm test`: a dot for each test, each failure in full when it happens, and at the end the
 * count, why tests were skipped, and where the whole log is.
 */
// oxlint-disable-next-line import/no-default-export -- what Node takes for a reporter
export default async function* shortReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const startedMs = performance.now();
  const skips = new Map<string, number>();
  let [passed, failed, dots] = [0, 0, 0];
  for await (const { type, data } of events) {
    if (type === 'test:fail') {
      const { error } = data.details;
      if ((error as { failureType?: string }).failureType === 'subtestsFailed') continue;
      failed++;
      yield `\n\nFAILED  ${data.name}\n        ${data.file ?? ''}:${data.line ?? ''}\n${shownError(error)}\n\n`;
      dots = 0;
    } else if (type === 'test:pass' && data.details.type !== 'suite') {
      if (data.skip === undefined || data.skip === false) passed++;
      else skips.set(String(data.skip), (skips.get(String(data.skip)) ?? 0) + 1);
      yield `${data.skip === undefined ? '.' : '-'}${++dots % dotsPerLine === 0 ? '\n' : ''}`;
    }
  }
  const skipped = [...skips.values()].reduce((sum, count) => sum + count, 0);
  yield '\n\n';
  for (const [reason, count] of skips) yield `${count} skipped: ${reason}\n`;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  yield `The full log is in ${logFile} (${seconds} s).\n${failed > 0 ? 'There are failures; they stand above and in that file.\n' : ''}`;
  yield `${passed} passed, ${failed} failed, ${skipped} skipped\n`;
}

function shownError(error: Error & { cause?: unknown }): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return (cause.stack ?? cause.message).replaceAll(/^/gm, '        ');
}
