import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeTemporaryDirectory, startServer, type TemporaryDirectory } from '../support/index.ts';
import { checkout, compile, expectedLines, runSnippet, snippetsOf, type Snippet } from './snippets.ts';

// Every example in the doc comments of the embedded API and in the documents is compiled and run, and must
// print the lines it promises.

async function allSnippets(): Promise<Snippet[]> {
  const sources: string[] = [];
  for (const folder of ['src/client', 'src/embedded', 'src/inbox', 'src/outbox', 'src/testing'])
    for (const name of await readdir(join(checkout, folder)))
      if (name.endsWith('.ts')) sources.push(`${folder}/${name}`);
  const snippets: Snippet[] = [];
  const documents = [
    'README.md',
    'docs/embedded.md',
    'docs/client.md',
    'docs/inbox.md',
    'docs/expiry.md',
    'docs/outbox.md',
    'docs/precedence.md',
    'docs/schedules.md',
    'docs/testing.md',
    'docs/unique.md',
  ];
  for (const file of [...sources.sort(), ...documents])
    snippets.push(...snippetsOf(file, await readFile(join(checkout, file), 'utf8')));
  return snippets;
}

const snippets = await allSnippets();

describe('examples', { concurrency: 2 }, () => {
  let directory: TemporaryDirectory;
  before(async () => {
    directory = await makeTemporaryDirectory();
    const { code, output } = await compile(directory.path, snippets);
    const places = snippets.map(({ place }, at) => `snippet-${at}.ts is ${place}`).join('\n');
    assert.equal(code, 0, `${output}\n${places}`);
  });
  after(() => directory[Symbol.asyncDispose]());

  for (const [at, snippet] of snippets.entries()) {
    test(`${snippet.place} does what it says`, async () => {
      const needsServer = snippet.tags.some((tag) => ['nats', 'kafka', 'amqp'].includes(tag));
      await using server = needsServer ? await startServer() : undefined;
      const addresses: [string, string][] = server
        ? [
            ['127.0.0.1:4222', server.natsAddress],
            ['127.0.0.1:9092', `127.0.0.1:${server.kafkaPort}`],
            ['127.0.0.1:5672', `127.0.0.1:${server.amqpPort}`],
          ]
        : [];
      const outcome = await runSnippet(directory.path, at, addresses);
      assert.equal(outcome.code, 0, outcome.output);
      assert.deepEqual(outcome.output.split('\n').filter(Boolean).sort(), expectedLines(snippet));
    });
  }
});

describe('the extractor', () => {
  test('finds examples in doc comments and in documents', () => {
    const source = [
      '/**',
      ' * Text.',
      ' *',
      ' * ```ts',
      ' * const a = 1;',
      ' *   b(); // prints: 1 | 2',
      ' * ```',
      ' */',
    ].join('\n');
    const [snippet] = snippetsOf('a.ts', source);
    assert.deepEqual(snippet, { place: 'a.ts:4', code: 'const a = 1;\n  b(); // prints: 1 | 2\n', tags: [] });
    assert.deepEqual(expectedLines(snippet), ['1', '2']);
    assert.deepEqual(
      snippetsOf('a.md', '```ts nats\nx\n```\n```sh\ny\n```\n').map(({ code, tags }) => [code, tags]),
      [['x\n', ['nats']]],
    );
    assert.throws(() => snippetsOf('a.md', '```ts\nx\n'), /a\.md:1/);
  });

  test('there are some', () => {
    const files = new Set(snippets.map(({ place }) => place.split(':')[0]));
    assert.ok(
      snippets.length >= 10 && files.has('README.md') && files.has('docs/embedded.md'),
      [...files].join(' '),
    );
  });
});
