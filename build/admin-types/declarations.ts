import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A declaration of a type: `interface Name<T = Default> extends Base {…}` or `type Name = …`. */
export interface Declaration {
  readonly kind: 'interface' | 'type';
  readonly name: string;
  /** The text of its doc comment. */
  readonly doc: string;
  readonly words: readonly string[];
}

/** The declarations of a folder of types, by name. */
export async function declarationsIn(folder: string): Promise<ReadonlyMap<string, Declaration>> {
  const found = new Map<string, Declaration>();
  for (const file of await readdir(folder)) {
    if (!/^(?!.*\.d\.ts$).*\.ts$/.test(file)) continue;
    const text = await readFile(join(folder, file), 'utf8');
    // A declaration goes on to the next one, or to the end.
    const starts = [...text.matchAll(/^(?:export )?(interface|type) (\w+)(?=[\s<])/gm)];
    for (const [at, start] of starts.entries()) {
      const [, kind, name = ''] = start;
      const end = starts[at + 1]?.index ?? text.length;
      const words = wordsOf(text.slice(start.index + start[0].length, end));
      found.set(name, { kind: kind as Declaration['kind'], name, doc: docBefore(text, start.index), words });
    }
  }
  return found;
}

const word = /\/\*\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\]|\\.)*'|`[^`]*`|\w+|[^\s]/g;

/** Doc comments, texts, names and signs, in order. */
function wordsOf(text: string): string[] {
  return (text.match(word) ?? []).filter((word) => !word.startsWith('//'));
}

function docBefore(text: string, index: number): string {
  return docText(/\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(text.slice(0, index))?.[0] ?? '');
}

/** The sentences of a doc comment, on one line. */
export function docText(comment: string): string {
  return comment
    .replaceAll(/^\s*\/\*\*|\*\/\s*$/g, '')
    .replaceAll(/^\s*\* ?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
