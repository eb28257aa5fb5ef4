import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

// The layers of ARCHITECTURE.md as data, and a check of every import in src/ against them.

/** The imports that a layer may have besides its own: other layers, npm packages, modules of Node. */
interface Layer {
  readonly layers: readonly string[];
  readonly packages?: readonly string[];
  /** Absent: any. Everything a layer without I/O may need is named here. */
  readonly node?: readonly string[];
  /** The files other layers import it through; absent: its index.ts. */
  readonly doors?: RegExp;
  /** It holds types and nothing that runs. */
  readonly typesOnly?: boolean;
}

const layers: { readonly [name: string]: Layer } = {
  // The command line shows text by an entry of its own, and needs nothing else of util.
  util: { layers: [], packages: ['@node-rs/crc32', 'croner'], doors: /^util\/(index|shown-text)\.ts$/ },
  // An entry per protocol, so that a user of one need not load the others. zlib and crypto: functions of
  // bytes, no I/O.
  wire: {
    layers: ['util'],
    node: ['node:zlib', 'node:crypto'],
    doors: /^wire\/[a-z]+\/(compression\/)?index\.ts$/,
  },
  log: { layers: ['util'], node: ['node:zlib', 'node:path'] },
  broker: { layers: ['log', 'util'], node: [] },
  // One door for all protocols: their table loads a folder when it is switched on. The settings have one of
  // their own, because they show in the types of the package, which need none of Node's.
  protocols: {
    layers: ['wire', 'broker', 'util'],
    packages: ['ws'],
    doors: /^protocols\/(index|settings)\.ts$/,
  },
  // Types: the JSON of the admin HTTP, for its server and its clients.
  'admin-api': { layers: [], node: [], typesOnly: true },
  server: {
    layers: ['protocols', 'broker', 'util', 'admin-api'],
    packages: ['pino', 'prom-client', 'smol-toml'],
  },
  // The files directly in src/ and src/embedded/: the API of `import … from 'pillarbox'`, and the demo that
  // shows it.
  // Values, headers and errors have a door of their own, which loads no broker.
  embedded: { layers: ['broker', 'util'], doors: /^embedded\/(index|values)\.ts$/ },
  // The API of `import … from 'pillarbox/client'`. Of the broker it knows types; the embedded API is one of
  // its targets, and the packages are loaded for theirs.
  client: {
    layers: ['embedded', 'broker', 'util'],
    packages: ['@nats-io/transport-node', 'rabbitmq-client', '@aws-sdk/client-sqs'],
    doors: /^client\/(index|parts)\.ts$/,
  },
  // The API of `import … from 'pillarbox/testing'`: a client that is put together from its parts.
  testing: { layers: ['client', 'embedded', 'util'], node: [] },
  // Clients for databases that a program brings along: no driver is imported.
  databases: { layers: [], node: [] },
  inbox: { layers: ['databases', 'util'], node: [] },
  outbox: { layers: ['databases', 'inbox', 'util'], node: [] },
  // The page that the admin HTTP serves; it is bundled by itself, and no other layer may import it.
  dashboard: { layers: ['admin-api'], packages: ['preact', 'uplot'], node: [], doors: /^$/ },
  // Everything it knows of a broker comes by the admin HTTP.
  cli: { layers: ['admin-api', 'util'], packages: ['commander'] },
};

/**
 * The wings of the broker: its folders, and what each may import when it runs. Types are known across wings;
 * no file needs itself for them, see the test of circles.
 */
const wings: { readonly [name: string]: readonly string[] } = {
  // The files that assemble the broker: those directly in src/broker/ that the others may not import.
  assembly: [
    'schedules',
    'topics',
    'groups',
    'dead-letters',
    'retention',
    'transactions',
    'live',
    'partitions',
    'ground',
  ],
  schedules: ['topics', 'partitions', 'ground'],
  topics: ['groups', 'dead-letters', 'retention', 'partitions', 'ground'],
  groups: ['dead-letters', 'partitions', 'ground'],
  'dead-letters': ['retention', 'partitions', 'ground'],
  retention: ['partitions', 'ground'],
  transactions: ['ground'],
  live: ['ground'],
  partitions: ['ground'],
  // The files directly in src/broker/ that all wings stand on.
  ground: [],
};

const assembly =
  /^broker\/(assemble|attributes|broker|broker-options|catalog|commit-cycle|condition|definitions|index|log-ids|queue|recovery|replay|snapshot|watermarks)\.ts$/;

/** Single files with permissions that their layer lacks. */
const exceptions: readonly { readonly file: RegExp; readonly may: RegExp; readonly why: string }[] = [
  {
    file: /^log\/(real-files?|directory-lock)\.ts$/,
    may: /^node:/,
    why: 'the real implementation of the seam Files',
  },
  {
    file: /^index\.ts$/,
    may: /^dynamic wire$/,
    why: 'the composition root of the embedded API: a directory may hold what Kafka producers have compressed',
  },
  {
    file: /^cli\/(commands\/serve|settings)\.ts$/,
    may: /^dynamic server$/,
    why: 'the composition root: `pillarbox serve` is where a server is put together, from its settings',
  },
  {
    file: /^cli\/doctor\/(repair|stored-data)\.ts$/,
    may: /^dynamic server$/,
    why: 'what a stopped broker left cannot be asked for by HTTP',
  },
  {
    file: /^cli\/commands\/user\.ts$/,
    may: /^dynamic server$/,
    why: 'a password is hashed as the server verifies it, and goes to no broker for that',
  },
  {
    file: /^cli\/commands\/demo\.ts$/,
    may: /^dynamic embedded$/,
    why: 'the demo plays on an embedded broker',
  },
];

/**
 * Layers that get time, chance and files through the seams Clock, Random and Files, so that tests can replay
 * them.
 */
const seamLayers = ['log', 'broker'];
const seamNames =
  /\b(Date\.now|new Date\b|performance\.now|process\.hrtime|setTimeout|setInterval|setImmediate|Math\.random)\b/g;

/**
 * How a group knows which messages are done. Outside the broker a delivery is settled by receipt, and a group
 * is asked for its info.
 */
const insidesOfGroups =
  /\.positions\b|\{[^{}]*\bpositions\b[^{}]*\}(?=\s*=[^=>])|\bPendingEntr(y|ies)\b|\.pending\b\s*\??\./g;

/** A violation reads `file: the forbidden action`. */
function violationsOf(file: string, source: string): string[] {
  const layer = layerOf(file);
  const rules = layers[layer];
  if (!rules) return [`${file}: src/${layer} is not in the table of layers`];
  const found: string[] = [];
  const report = (what: string, problem: string): void => {
    const isAllowed = exceptions.some((exception) => exception.file.test(file) && exception.may.test(what));
    if (!isAllowed) found.push(`${file}: ${problem}`);
  };
  const code = withoutComments(source);
  for (const { specifier, isDynamic } of importsOf(code)) {
    if (specifier.startsWith('node:')) {
      if (rules.node && !rules.node.includes(specifier))
        report(specifier, `${layer} may not import ${specifier}`);
    } else if (specifier.startsWith('.')) {
      const target = posix.normalize(posix.join(posix.dirname(file), specifier));
      const other = layerOf(target);
      if (other === layer) continue;
      const what = `${isDynamic ? 'dynamic ' : ''}${other}`;
      if (!rules.layers.includes(other)) report(what, `${layer} may not import ${other} (${specifier})`);
      else if (!isDoor(other, target)) report(what, `imports ${target} past the index.ts of ${other}`);
    } else {
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      if (!rules.packages?.includes(name)) report(name, `${layer} may not import the package ${name}`);
    }
  }
  if (rules.typesOnly === true)
    for (const [statement] of withoutStrings(code).matchAll(
      /^(?!(export|import) type\b|export interface\b|interface\b|type\b)[a-z]\w* \w+/gm,
    ))
      report(statement, `${layer} may hold types only, not "${statement}"`);
  if (seamLayers.includes(layer))
    for (const [name] of withoutStrings(code).matchAll(seamNames))
      report(`node:${name}`, `${layer} may not use ${name}: take it from the seams Clock and Random`);
  if (layer !== 'broker' && rules.layers.includes('broker'))
    for (const [name] of withoutStrings(code).matchAll(insidesOfGroups))
      report(name, `${layer} may not name ${name}: it is the inside of a group`);
  return found;
}

function wingOf(file: string): string {
  const [, first = '', ...rest] = file.split('/');
  if (rest.length > 0) return first;
  return assembly.test(file) ? 'assembly' : 'ground';
}

/** The same for the wings of the broker. */
function wingViolationsOf(file: string, source: string): string[] {
  const wing = wingOf(file);
  const mayImport = wings[wing];
  if (!mayImport) return [`${file}: src/broker/${wing} is not in the table of wings`];
  const found: string[] = [];
  for (const { specifier, isType } of importsOf(withoutComments(source))) {
    if (isType || !specifier.startsWith('.')) continue;
    const target = posix.normalize(posix.join(posix.dirname(file), specifier));
    if (layerOf(target) !== 'broker') continue;
    const other = wingOf(target);
    if (other !== wing && !mayImport.includes(other))
      found.push(`${file}: ${wing} may not import ${other} (${specifier})`);
  }
  return found;
}

/** A circle of files that import each other, types included; undefined: there is none. */
function circleOf(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const find = (file: string): readonly string[] | undefined => {
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const target of imports.get(file) ?? []) {
      const circle = find(target);
      if (circle) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = find(file);
    if (circle) return circle;
  }
  return undefined;
}

function isDoor(layer: string, target: string): boolean {
  return layers[layer]?.doors?.test(target) ?? target === `${layer}/index.ts`;
}

function layerOf(file: string): string {
  const [first = '', ...rest] = file.split('/');
  return rest.length === 0 ? 'embedded' : first;
}

const stringOrComment =
  /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

function withoutComments(source: string): string {
  return source.replaceAll(stringOrComment, (_, text: string | undefined) => text ?? ' ');
}

function withoutStrings(code: string): string {
  return code.replaceAll(stringOrComment, '""');
}

interface Import {
  readonly specifier: string;
  readonly isDynamic: boolean;
  /** Only types are imported: nothing is loaded for it. */
  readonly isType: boolean;
}

function importsOf(code: string): Import[] {
  const statics = code.matchAll(/\b(?:import|export)(?=[\s{*])([\w\s{},*$]*?\bfrom)?\s*['"]([^'"]+)['"]/g);
  const dynamics = code.matchAll(/\bimport\(\s*['"`]([^'"`]+)['"`]/g);
  return [
    ...[...statics].map(([, names = '', specifier = '']) => ({
      specifier,
      isDynamic: false,
      isType: isTypes(names),
    })),
    ...[...dynamics].map(([, specifier = '']) => ({ specifier, isDynamic: true, isType: false })),
  ];
}

/** `type { … } from`, or `{ type …, type … } from`. */
function isTypes(names: string): boolean {
  if (/^\s*type\b/.test(names)) return true;
  const [, list] = /^\s*\{([^}]*)\}/.exec(names) ?? [];
  const each = list?.split(',').map((name) => name.trim()) ?? [];
  return each.length > 0 && each.every((name) => name === '' || name.startsWith('type '));
}

// dist*/test/layers.test.js -> the sources, which are checked.
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src');

async function sourceFiles(): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) =>
      posix.normalize(
        join(entry.parentPath, entry.name)
          .slice(root.length + 1)
          .replaceAll('\\', '/'),
      ),
    );
}

test('every import in src/ follows the table of layers', async () => {
  const files = await sourceFiles();
  assert.ok(files.length > 20, `found the sources: ${files.length} files in ${root}`);
  const violations: string[] = [];
  for (const file of files) violations.push(...violationsOf(file, await readFile(join(root, file), 'utf8')));
  assert.deepEqual(violations, []);
});

test('every import at run time between wings of the broker follows their table', async () => {
  const violations: string[] = [];
  for (const [file, source] of await brokerSources()) violations.push(...wingViolationsOf(file, source));
  assert.deepEqual(violations, []);
});

test('no circle of imports in src/broker, types included', async () => {
  const imports = new Map<string, string[]>();
  for (const [file, source] of await brokerSources()) {
    const targets = importsOf(withoutComments(source))
      .map(({ specifier }) => posix.normalize(posix.join(posix.dirname(file), specifier)))
      .filter((target) => target.startsWith('broker/'));
    imports.set(file, targets);
  }
  assert.deepEqual(circleOf(imports), undefined);
});

async function brokerSources(): Promise<[file: string, source: string][]> {
  const sources: [string, string][] = [];
  for (const file of await sourceFiles())
    if (file.startsWith('broker/')) sources.push([file, await readFile(join(root, file), 'utf8')]);
  assert.ok(sources.length > 20, `found the sources: ${sources.length} files of the broker`);
  return sources;
}

test('every layer has one door, its index.ts', async () => {
  const files = new Set(await sourceFiles());
  const present = Object.keys(layers).filter((layer) =>
    [...files].some((file) => file.startsWith(`${layer}/`)),
  );
  assert.deepEqual(
    present.filter((layer) => !layers[layer]?.doors && !files.has(`${layer}/index.ts`)),
    [],
  );
});

test('server and command line name no protocol: they go by the table', async () => {
  const files = await sourceFiles();
  const names = files.flatMap((file) => /^protocols\/(\w+)\/protocol\.ts$/.exec(file)?.[1] ?? []);
  assert.ok(names.length > 1);
  const named = new RegExp(`\\b(${names.join('|')}|jetstream)`, 'i');
  const found: string[] = [];
  for (const file of files) {
    // The load generator speaks a protocol.
    if (!/^(server|cli)\//.test(file) || /^cli\/(bench\/|commands\/bench\.ts$)/.test(file)) continue;
    const lines = (await readFile(join(root, file), 'utf8')).split('\n');
    for (const line of lines) if (named.test(line)) found.push(`${file}: ${line.trim()}`);
  }
  assert.deepEqual(found, []);
});

test('the check catches violations', () => {
  const cases: readonly (readonly [file: string, source: string, violation: RegExp | undefined])[] = [
    ['broker/topics/topic.ts', `import { Log } from '../../log/index.ts';`, undefined],
    ['broker/topics/topic.ts', `import { Log } from '../../log/log.ts';`, /past the index\.ts of log/],
    [
      'broker/topics/topic.ts',
      `import type {\n  Session,\n} from '../../protocols/index.ts';`,
      /may not import protocols/,
    ],
    ['broker/topics/topic.ts', `export * from '../../wire/nats/index.ts';`, /may not import wire/],
    ['broker/topics/topic.ts', `import '../../server/index.ts';`, /may not import server/],
    [
      'broker/topics/topic.ts',
      `import { open } from 'node:fs/promises';`,
      /may not import node:fs\/promises/,
    ],
    ['broker/topics/topic.ts', `// import { open } from 'node:fs';`, undefined],
    ['broker/topics/topic.ts', `const now = Date.now();`, /may not use Date\.now/],
    ['broker/topics/topic.ts', `const text = 'Date.now()'; // Date.now()`, undefined],
    ['log/journal.ts', `setTimeout(() => {}, 1);`, /may not use setTimeout/],
    ['log/real-files.ts', `import { open } from 'node:fs/promises';`, undefined],
    ['log/journal.ts', `import { pino } from 'pino';`, /may not import the package pino/],
    ['util/crc32c.ts', `const native = await import('@node-rs/crc32');`, undefined],
    ['util/clock.ts', `const now = Date.now();`, undefined],
    ['protocols/nats/session.ts', `import { parse } from '../../wire/nats/index.ts';`, undefined],
    [
      'protocols/nats/session.ts',
      `import { parse } from '../../wire/nats/parser.ts';`,
      /past the index\.ts of wire/,
    ],
    ['wire/nats/parser.ts', `import { connect } from 'node:net';`, /may not import node:net/],
    ['protocols/nats/session.ts', `import { Log } from '../../log/index.ts';`, /may not import log/],
    ['cli/commands/topics.ts', `const s = await import('../../server/index.ts');`, /may not import server/],
    ['cli/commands/serve.ts', `const s = await import('../../server/index.ts');`, undefined],
    [
      'cli/commands/serve.ts',
      `import { startServer } from '../../server/index.ts';`,
      /may not import server/,
    ],
    ['index.ts', `export { open } from './embedded/index.ts';`, undefined],
    ['index.ts', `import { Log } from './log/index.ts';`, /may not import log/],
    ['protocols/nats/ack.ts', `const at = group.positions.at(0);`, /may not name .*positions/],
    [
      'protocols/nats/ack.ts',
      `for (const { offset } of position.pending.values()) use(offset);`,
      /may not name \.pending/,
    ],
    ['embedded/group.ts', `const { positions } = group;`, /may not name .*positions/],
    ['protocols/nats/delivery.ts', `write(delivery.pending); define({ positions: 'committed' });`, undefined],
    ['broker/groups/group-info.ts', `const at = group.positions.at(0);`, undefined],
    ['admin-api/topics.ts', `import type { Topic } from '../broker/index.ts';`, /may not import broker/],
    ['admin-api/topics.ts', `export const names = ['a'];`, /may hold types only, not "export const"/],
    ['admin-api/topics.ts', `import type { A } from './a.ts';\nexport interface B extends A {}`, undefined],
    ['dashboard/app.tsx', `import type { TopicJson } from '../admin-api/index.ts';`, undefined],
    ['dashboard/app.tsx', `import { Broker } from '../broker/index.ts';`, /may not import broker/],
    ['elsewhere/thing.ts', ``, /not in the table/],
  ];
  for (const [file, source, violation] of cases) {
    const found = violationsOf(file, source).join('\n');
    if (violation) assert.match(found, violation, `${file}: ${source}`);
    else assert.equal(found, '', `${file}: ${source}`);
  }
});

test('the check of wings catches violations', () => {
  const cases: readonly (readonly [file: string, source: string, violation: RegExp | undefined])[] = [
    ['broker/topics/topic.ts', `import { Group } from '../groups/group.ts';`, undefined],
    ['broker/groups/group.ts', `import { Topic } from '../topics/topic.ts';`, /groups may not import topics/],
    ['broker/groups/group.ts', `import type { Topic } from '../topics/topic.ts';`, undefined],
    ['broker/groups/group.ts', `import { type A, type B } from '../topics/topic.ts';`, undefined],
    ['broker/groups/group.ts', `import { type A, b } from '../topics/topic.ts';`, /may not import topics/],
    ['broker/errors.ts', `export * from './live/route.ts';`, /ground may not import live/],
    ['broker/broker.ts', `import { Topic } from './topics/topic.ts';`, undefined],
    ['broker/live/router.ts', `import { Broker } from '../broker.ts';`, /live may not import assembly/],
    ['broker/cellar/wine.ts', ``, /not in the table of wings/],
  ];
  for (const [file, source, violation] of cases) {
    const found = wingViolationsOf(file, source).join('\n');
    if (violation) assert.match(found, violation, `${file}: ${source}`);
    else assert.equal(found, '', `${file}: ${source}`);
  }
  const ring = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['b']],
  ]);
  assert.deepEqual(circleOf(ring), ['b', 'd', 'b']);
  ring.set('d', ['c']);
  assert.equal(circleOf(ring), undefined);
});
