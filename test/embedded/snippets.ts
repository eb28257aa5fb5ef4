import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A snippet is an example in a doc comment or a document: a block fenced with ```ts. */
export interface Snippet {
  /** Where it stands, as `file:line`. */
  readonly place: string;
  readonly code: string;
  /**
   * The words after `ts` on the fence: `nats` or `kafka` for one that needs a broker at 127.0.0.1:4222 or
   * :9092.
   */
  readonly tags: readonly string[];
}

export function snippetsOf(file: string, source: string): Snippet[] {
  const isCode = file.endsWith('.ts');
  const snippets: Snippet[] = [];
  let open: { line: number; tags: string[]; lines: string[] } | undefined;
  for (const [at, raw] of source.split('\n').entries()) {
    const line = isCode ? raw.replace(/^\s*\* ?/, '') : raw;
    if (open && line.startsWith('```')) {
      snippets.push({ place: `${file}:${open.line}`, code: `${open.lines.join('\n')}\n`, tags: open.tags });
      open = undefined;
    } else if (open) open.lines.push(line);
    else {
      const fence = /^```ts\b(.*)$/.exec(line);
      if (fence) open = { line: at + 1, tags: fence[1]!.trim().split(/\s+/).filter(Boolean), lines: [] };
    }
  }
  if (open) throw new Error(`${file}:${open.line}: the example has no end`);
  return snippets;
}

/** The lines that a snippet promises: `// prints: one line | another`, in any order. */
export function expectedLines({ code }: Snippet): string[] {
  return [...code.matchAll(/\/\/ prints: (.*)$/gm)].flatMap(([, lines]) => lines!.split(' | ')).sort();
}

// dist*/test/embedded -> dist*, and the checkout above it.
const outputDirectory = fileURLToPath(new URL('../../', import.meta.url));
export const checkout: string = join(outputDirectory, '..');

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/**
 * Compiles snippets as a user's project would be, against the declarations this package ships. `code` is the
 * compiler's.
 */
export async function compile(directory: string, snippets: readonly Snippet[]): Promise<Outcome> {
  await symlink(join(checkout, 'node_modules'), join(directory, 'node_modules'), 'dir');
  for (const [at, { code }] of snippets.entries()) await writeFile(join(directory, `snippet-${at}.ts`), code);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: true, // those of others
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    paths: {
      pillarbox: [join(outputDirectory, 'src/index.d.ts')],
      'pillarbox/client': [join(outputDirectory, 'src/client/index.d.ts')],
      'pillarbox/inbox': [join(outputDirectory, 'src/inbox/index.d.ts')],
      'pillarbox/outbox': [join(outputDirectory, 'src/outbox/index.d.ts')],
      'pillarbox/testing': [join(outputDirectory, 'src/testing/index.d.ts')],
      'pillarbox/server': [join(outputDirectory, 'src/server/index.d.ts')],
    },
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  await writeFile(join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
  const compiler = join(checkout, 'node_modules/typescript/bin/tsc');
  return run(directory, [compiler, '-p', 'tsconfig.json', '--pretty', 'false']);
}

/** Runs a compiled snippet; `replace` has texts to put in the place of others. */
export async function runSnippet(
  directory: string,
  at: number,
  replace: readonly (readonly [text: string, by: string])[] = [],
): Promise<Outcome> {
  const path = join(directory, `snippet-${at}.js`);
  let code = await readFile(path, 'utf8');
  const url = (file: string): string => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
  code = code
    .replaceAll(/(['"])pillarbox\1/g, url('index.js'))
    .replaceAll(/(['"])pillarbox\/(client|inbox|outbox|server|testing)\1/g, (_all, _quote, entry) =>
      url(`${entry}/index.js`),
    );
  for (const [text, by] of replace) code = code.replaceAll(text, by);
  await writeFile(path, code);
  // kafkajs sets timers of negative length, of which newer Nodes warn.
  return run(directory, ['--disable-warning=TimeoutNegativeWarning', path]);
}

async function run(directory: string, args: readonly string[]): Promise<Outcome> {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const deadline = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(deadline);
  return { code, output };
}
