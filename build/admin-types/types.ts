import { type Declaration, docText } from './declarations.ts';

/** A type of the admin API, as far as JSON has it. */
export type Type =
  | {
      readonly kind: 'simple';
      readonly name: 'string' | 'number' | 'boolean' | 'null' | 'unknown' | 'undefined';
    }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'list'; readonly of: Type }
  | { readonly kind: 'tuple'; readonly of: readonly Type[] }
  | { readonly kind: 'union'; readonly of: readonly Type[] }
  | { readonly kind: 'object'; readonly members: Members; readonly others?: Type }
  | { readonly kind: 'reference'; readonly name: string };

export type Members = ReadonlyMap<string, Member>;

export interface Member {
  readonly type: Type;
  readonly isOptional: boolean;
  readonly doc: string;
}

type Scope = ReadonlyMap<string, Type>;

/**
 * Reads declarations of types. It knows the part of TypeScript that the admin API uses, and throws for anything
 * else, which ends the build.
 */
export class Types {
  readonly #declarations: ReadonlyMap<string, Declaration>;

  constructor(declarations: ReadonlyMap<string, Declaration>) {
    this.#declarations = declarations;
  }

  docOf(name: string): string {
    return this.#find(name).doc;
  }

  /** What a name stands for, with the arguments of a generic one. */
  named(name: string, given: readonly Type[] = []): Type {
    const { kind, words } = this.#find(name);
    const reader = new Reader(this, words, new Map());
    const scope = reader.parameters(given);
    const inside = new Reader(this, words.slice(reader.at), scope);
    return kind === 'interface' ? inside.interfaceBody() : inside.aliasBody();
  }

  /** The members of an object type. */
  membersOf(type: Type): Members {
    if (type.kind === 'reference') return this.membersOf(this.named(type.name));
    if (type.kind === 'object') return type.members;
    throw new Error(`A type of kind ${type.kind} has no members.`);
  }

  /** Whether a name without arguments can be referred to. */
  isInterface(name: string): boolean {
    return this.#find(name).kind === 'interface';
  }

  #find(name: string): Declaration {
    const declaration = this.#declarations.get(name);
    if (!declaration) throw new Error(`There is no type ${name}.`);
    return declaration;
  }
}

const simpleNames = ['string', 'number', 'boolean', 'null', 'unknown', 'undefined'] as const;

/** Reads types word by word. A mapped type is read once for each of its keys. */
class Reader {
  readonly #types: Types;
  readonly #words: readonly string[];
  readonly #scope: Scope;
  at = 0;

  constructor(types: Types, words: readonly string[], scope: Scope) {
    this.#types = types;
    this.#words = words;
    this.#scope = scope;
  }

  /** `<T extends Bound = Default>`, with what stands for each. */
  parameters(given: readonly Type[]): Scope {
    const scope = new Map<string, Type>();
    if (!this.#take('<')) return scope;
    do {
      const name = this.#next();
      if (this.#take('extends')) this.type();
      const byDefault = this.#take('=') ? this.type() : undefined;
      const type = given[scope.size] ?? byDefault;
      if (type) scope.set(name, type);
    } while (this.#take(','));
    this.#expect('>');
    return scope;
  }

  interfaceBody(): Type {
    const members = new Map<string, Member>();
    if (this.#take('extends'))
      do for (const entry of this.#types.membersOf(this.type())) members.set(...entry);
      while (this.#take(','));
    const own = this.#object();
    if (own.kind !== 'object') throw new Error('An interface is an object.');
    for (const entry of own.members) members.set(...entry);
    return { ...own, members };
  }

  aliasBody(): Type {
    this.#expect('=');
    return this.type();
  }

  type(): Type {
    this.#take('|');
    const of = [this.#intersection()];
    while (this.#take('|')) of.push(this.#intersection());
    return of.length === 1 ? of[0]! : { kind: 'union', of };
  }

  #intersection(): Type {
    const first = this.#postfix();
    if (this.#peek() !== '&') return first;
    const members = new Map(this.#types.membersOf(first));
    while (this.#take('&')) for (const entry of this.#types.membersOf(this.#postfix())) members.set(...entry);
    return { kind: 'object', members };
  }

  #postfix(): Type {
    let type = this.#single();
    while (this.#peek() === '[') {
      this.#next();
      if (this.#take(']')) {
        type = { kind: 'list', of: type };
        continue;
      }
      const key = this.type();
      this.#expect(']');
      type = this.#memberType(type, key);
    }
    return type;
  }

  #memberType(type: Type, key: Type): Type {
    const member = key.kind === 'literal' ? this.#types.membersOf(type).get(String(key.value)) : undefined;
    if (!member) throw new Error('An indexed access names a member.');
    return member.type;
  }

  #single(): Type {
    const word = this.#next();
    if (word === 'readonly') return this.#postfix();
    if (word === 'keyof') return keysOf(this.#types.membersOf(this.#postfix()));
    if (word === '(') {
      const type = this.type();
      this.#expect(')');
      return type;
    }
    if (word === '[') return this.#tuple();
    if (word === '{') {
      this.at--;
      return this.#object();
    }
    if (word.startsWith("'")) return { kind: 'literal', value: word.slice(1, -1) };
    if (/^\d/.test(word)) return { kind: 'literal', value: Number(word) };
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
    const simple = simpleNames.find((name) => name === word);
    return simple ? { kind: 'simple', name: simple } : this.#reference(word);
  }

  /** `[first: string, string]`. */
  #tuple(): Type {
    const of: Type[] = [];
    while (!this.#take(']')) {
      if (this.#words[this.at + 1] === ':') this.at += 2;
      of.push(this.type());
      this.#take(',');
    }
    return { kind: 'tuple', of };
  }

  #reference(name: string): Type {
    const bound = this.#scope.get(name);
    if (bound) return bound;
    const given: Type[] = [];
    if (this.#take('<')) {
      do given.push(this.type());
      while (this.#take(','));
      this.#expect('>');
    }
    const [first, second] = given;
    if (first && name === 'Partial')
      return { kind: 'object', members: optional(this.#types.membersOf(first)) };
    if (first && second && name === 'Omit') {
      const gone = namesOf(second);
      const members = [...this.#types.membersOf(first)].filter(([key]) => !gone.has(key));
      return { kind: 'object', members: new Map(members) };
    }
    if (first && second && name === 'Exclude') {
      const gone = namesOf(second);
      return literals([...namesOf(first)].filter((key) => !gone.has(key)));
    }
    if (given.length === 0 && this.#types.isInterface(name)) return { kind: 'reference', name };
    return this.#types.named(name, given);
  }

  #object(): Type {
    this.#expect('{');
    const members = new Map<string, Member>();
    let others: Type | undefined;
    let doc = '';
    while (!this.#take('}')) {
      if (this.#peek()?.startsWith('/**')) {
        doc = docText(this.#next());
        continue;
      }
      this.#take('readonly');
      if (this.#take('[')) {
        const name = this.#next();
        if (this.#take(':')) {
          this.type();
          this.#expect(']');
          this.#expect(':');
          others = this.type();
        } else this.#mapped(name, members);
      } else {
        const name = this.#next().replaceAll("'", '');
        const isOptional = this.#take('?');
        this.#expect(':');
        members.set(name, { type: this.type(), isOptional, doc });
      }
      doc = '';
      if (!this.#take(';')) this.#take(',');
    }
    return { kind: 'object', members, ...(others ? { others } : {}) };
  }

  /** `K in Keys]?: Type`, after the bracket. */
  #mapped(name: string, members: Map<string, Member>): void {
    this.#expect('in');
    const keys = this.type();
    this.#expect(']');
    const isOptional = this.#take('?');
    this.#expect(':');
    let end = this.at;
    for (const key of namesOf(keys)) {
      const scope = new Map([...this.#scope, [name, { kind: 'literal', value: key } as const]]);
      const inside = new Reader(this.#types, this.#words, scope);
      inside.at = this.at;
      members.set(key, { type: inside.type(), isOptional, doc: '' });
      end = inside.at;
    }
    this.at = end;
  }

  #peek(): string | undefined {
    return this.#words[this.at];
  }

  #next(): string {
    const word = this.#words[this.at++];
    if (word === undefined) throw new Error('A declaration ends too early.');
    return word;
  }

  #take(word: string): boolean {
    if (this.#peek() !== word) return false;
    this.at++;
    return true;
  }

  #expect(word: string): void {
    const found = this.#next();
    if (found !== word) throw new Error(`"${word}" is expected, not "${found}".`);
  }
}

function keysOf(members: Members): Type {
  return literals([...members.keys()]);
}

function literals(names: readonly string[]): Type {
  return { kind: 'union', of: names.map((value) => ({ kind: 'literal', value })) };
}

function namesOf(type: Type): ReadonlySet<string> {
  const parts = type.kind === 'union' ? type.of : [type];
  return new Set(parts.map((part) => (part.kind === 'literal' ? String(part.value) : '')));
}

function optional(members: Members): Members {
  return new Map([...members].map(([name, member]) => [name, { ...member, isOptional: true }]));
}
