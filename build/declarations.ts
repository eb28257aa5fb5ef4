// Makes the declarations of the package usable without @types/node: run by `npm run build` on the output of
// tsc.
//
// A Buffer becomes a Uint8Array, and util/abort-signal.ts replaces a missing AbortSignal. Any other use of
// Node's types that is reachable from the entries of the package is a leak, and ends the build.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../src/', import.meta.url));
const entries = [
  'index.d.ts',
  'client/index.d.ts',
  'inbox/index.d.ts',
  'outbox/index.d.ts',
  'server/index.d.ts',
  'testing/index.d.ts',
];
const signalFile = join(sources, 'util/abort-signal.d.ts');

const seen = new Set<string>();
const leaks: string[] = [];
for (const entry of entries) await publish(join(sources, entry));
if (leaks.length > 0) {
  console.error(`Types of Node leak into the declarations of the package:\n  ${leaks.join('\n  ')}`);
  process.exitCode = 1;
}

/** Rewrites a declaration file and all files that it imports. */
async function publish(file: string): Promise<void> {
  if (seen.has(file)) return;
  seen.add(file);
  const given = await readFile(file, 'utf8');
  const published = withSignal(
    file,
    mapCode(given, (code) => code.replaceAll(/\bBuffer\b(<\w+>)?/g, 'Uint8Array')),
  );
  mapCode(published, (code) => {
    for (const [leak] of code.matchAll(/NodeJS\.\w+|['"]node:[\w/]+['"]/g))
      leaks.push(`${relative(sources, file)}: ${leak}`);
    return code;
  });
  if (published !== given) await writeFile(file, published);
  for (const [, path = ''] of published.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g))
    await publish(resolve(dirname(file), path.replace(/\.ts$/, '.d.ts')));
}

function withSignal(file: string, text: string): string {
  let isNamed = false;
  mapCode(text, (code) => {
    isNamed ||= /\bAbortSignal\b/.test(code);
    return code;
  });
  if (!isNamed || file === signalFile || text.includes('abort-signal.ts')) return text;
  const path = relative(dirname(file), signalFile).replace(/\.d\.ts$/, '.ts');
  return `import type { AbortSignal } from '${path.startsWith('.') ? path : `./${path}`}';\n${text}`;
}

/** Maps the text outside comments. */
function mapCode(text: string, map: (code: string) => string): string {
  return text.replaceAll(/(\/\*[\s\S]*?\*\/|\/\/[^\n]*)|[^/]+|\//g, (part, comment: string | undefined) =>
    comment === undefined ? map(part) : part,
  );
}
