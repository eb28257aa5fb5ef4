// Bundles the dashboard into static files: run by `npm run bundle`. Scripts and styles are named by their
// content, so that browsers may keep them.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// dist*/build/dashboard.js -> the sources; the bundle is beside this program's folder.
const sources = fileURLToPath(new URL('../../src/dashboard/', import.meta.url));
const target = fileURLToPath(new URL('../bundle/dashboard/', import.meta.url));

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const { metafile } = await build({
  entryPoints: { app: join(sources, 'main.tsx') },
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: ['es2022'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  tsconfigRaw: {},
  entryNames: '[name]-[hash]',
  outdir: target,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
});
const names = Object.keys(metafile.outputs).map((path) => basename(path));
const nameOf = (ending: string): string => {
  const name = names.find((each) => each.endsWith(ending));
  if (name === undefined) throw new Error(`the bundle of the dashboard has no ${ending}`);
  return name;
};
const page = await readFile(join(sources, 'index.html'), 'utf8');
await writeFile(
  join(target, 'index.html'),
  page.replace('app.js', nameOf('.js')).replace('app.css', nameOf('.css')),
);
await writeFile(join(target, 'icon.svg'), await readFile(join(sources, 'icon.svg')));
