/** One character of a set, with its repetition. */
interface Step {
  readonly kind: 'step';
  readonly has: (character: string) => boolean;
  readonly min: 0 | 1;
  readonly isMany: boolean;
  readonly isLazy: boolean;
}

interface Open {
  readonly kind: 'open';
  readonly group: number;
}

interface Close {
  readonly kind: 'close';
  readonly group: number;
}

type Node = Step | Open | Close;

/**
 * A subject pattern is a regular expression that matches a whole text or not, in time proportional to the
 * product of their lengths. It supports characters, `.`, sets (`[^,]`), `\w`, `\d`, `\s`, each with `*`, `+`
 * or `?` and their lazy forms, and groups that are not repeated. Groups get the same values as in a
 * backtracking search.
 */
export interface SubjectPattern {
  /** The whole text and its groups; undefined if it does not match. */
  match(text: string): string[] | undefined;
}

/** Throws an Error that names the unsupported part. */
export function parsePattern(source: string): SubjectPattern {
  const nodes = new Parser(source).parse();
  return { match: (text) => match(nodes, text) };
}

function match(nodes: readonly Node[], text: string): string[] | undefined {
  const characters = text.length;
  /** Places known to fail: a position in the text before a node, or within its repetition. */
  const failed = new Set<number>();
  const starts: number[] = [];
  const groups: string[] = [text];
  const search = (at: number, position: number, isWithin: boolean): boolean => {
    const node = nodes[at];
    if (node === undefined) return position === characters;
    const place = ((at * (characters + 1) + position) << 1) | (isWithin ? 1 : 0);
    if (failed.has(place)) return false;
    if (tryNode(node, at, position, isWithin)) return true;
    failed.add(place);
    return false;
  };
  const tryNode = (node: Node, at: number, position: number, isWithin: boolean): boolean => {
    if (node.kind === 'open') {
      starts[node.group] = position;
      return search(at + 1, position, false);
    }
    if (node.kind === 'close') {
      if (!search(at + 1, position, false)) return false;
      groups[node.group] = text.slice(starts[node.group], position);
      return true;
    }
    const mayEnd = isWithin || node.min === 0;
    const takes = (): boolean =>
      (!isWithin || node.isMany) &&
      position < characters &&
      node.has(text[position]!) &&
      (node.isMany ? search(at, position + 1, true) : search(at + 1, position + 1, false));
    const ends = (): boolean => mayEnd && search(at + 1, position, false);
    return node.isLazy ? ends() || takes() : takes() || ends();
  };
  return search(0, 0, false) ? groups : undefined;
}

class Parser {
  readonly #source: string;
  #at = 0;
  #groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node[] {
    const nodes: Node[] = [];
    const open: number[] = [];
    if (this.#source[0] === '^') this.#at = 1;
    while (this.#at < this.#source.length) {
      const character = this.#source[this.#at]!;
      if (character === '$' && this.#at === this.#source.length - 1) break;
      if (character === '(') {
        this.#at++;
        if (this.#source[this.#at] === '?') throw this.#unsupported('a group that begins with "(?"');
        open.push(++this.#groups);
        nodes.push({ kind: 'open', group: this.#groups });
      } else if (character === ')') {
        this.#at++;
        const group = open.pop();
        if (group === undefined) throw this.#unsupported('a ")" without its "("');
        if (/[*+?{]/.test(this.#source[this.#at] ?? '')) throw this.#unsupported('a group that is repeated');
        nodes.push({ kind: 'close', group });
      } else nodes.push(this.#step());
    }
    if (open.length > 0) throw this.#unsupported('a "(" without its ")"');
    return nodes;
  }

  #step(): Step {
    const has = this.#set();
    const sign = this.#source[this.#at] ?? '';
    const isRepeated = sign === '*' || sign === '+' || sign === '?';
    if (sign === '{') throw this.#unsupported('a count in braces');
    if (isRepeated) this.#at++;
    const isLazy = isRepeated && this.#source[this.#at] === '?';
    if (isLazy) this.#at++;
    else if (isRepeated && /[*+]/.test(this.#source[this.#at] ?? ''))
      throw this.#unsupported('two repetitions');
    return {
      kind: 'step',
      has,
      min: sign === '*' || sign === '?' ? 0 : 1,
      isMany: sign === '*' || sign === '+',
      isLazy,
    };
  }

  #set(): Step['has'] {
    const character = this.#source[this.#at++]!;
    switch (character) {
      case '.':
        return (given) => given !== '\n';
      case '\\':
        return this.#escaped();
      case '[':
        return this.#class();
      case '|':
      case '^':
      case '$':
      case '*':
      case '+':
      case '?':
      case '{':
        throw this.#unsupported(`"${character}" here`);
      default:
        return (given) => given === character;
    }
  }

  /** A set that matches one character, by JavaScript's own expressions: these cannot be slow. */
  #class(): Step['has'] {
    const found = /^\^?\]?(?:\\.|[^\\\]])*\]/s.exec(this.#source.slice(this.#at))?.[0];
    if (found === undefined || found.includes('[') || found.includes('&&'))
      throw this.#unsupported('such a set');
    this.#at += found.length;
    try {
      const set = new RegExp(`^[${found}$`, 's');
      return (given) => set.test(given);
    } catch {
      throw this.#unsupported(`the set [${found}`);
    }
  }

  #escaped(): Step['has'] {
    const character = this.#source[this.#at++];
    if (character === undefined) throw this.#unsupported('a "\\" at the end');
    if (!/[A-Za-z0-9]/.test(character)) return (given) => given === character;
    if (!/[wWdDsS]/.test(character)) throw this.#unsupported(`"\\${character}"`);
    const set = new RegExp(`^\\${character}$`);
    return (given) => set.test(given);
  }

  #unsupported(what: string): Error {
    return new Error(`the pattern "${this.#source}" has ${what}, which is not supported`);
  }
}
