import type { Binding } from './binding.ts';
import type { Effort } from './effort.ts';
import type { Routed, Routing } from './routing.ts';

const noBindings: ReadonlySet<Binding> = new Set();

/** One word of the patterns that go through it. */
class Node {
  /**
   * The only next word, or all of them. Most nodes have one, and a map for it would be most of their memory.
   */
  #onlyWord: string | undefined = undefined;
  #only: Node | undefined = undefined;
  #next: Map<string, Node> | undefined = undefined;
  #bindings: Set<Binding> | undefined = undefined;

  get bindings(): ReadonlySet<Binding> {
    return this.#bindings ?? noBindings;
  }

  get isEmpty(): boolean {
    return this.#only === undefined && this.#next === undefined && this.#bindings === undefined;
  }

  next(word: string): Node | undefined {
    return this.#onlyWord === word ? this.#only : this.#next?.get(word);
  }

  /** The node of the next word, which is made if it is not there. */
  ensure(word: string): Node {
    const known = this.next(word);
    if (known) return known;
    const made = new Node();
    if (this.#only === undefined && this.#next === undefined) {
      this.#onlyWord = word;
      this.#only = made;
      return made;
    }
    this.#next ??= new Map([[this.#onlyWord!, this.#only!]]);
    this.#onlyWord = this.#only = undefined;
    this.#next.set(word, made);
    return made;
  }

  forget(word: string): void {
    if (this.#onlyWord === word) this.#onlyWord = this.#only = undefined;
    this.#next?.delete(word);
    if (this.#next?.size === 0) this.#next = undefined;
  }

  add(binding: Binding): void {
    this.#bindings ??= new Set();
    this.#bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.#bindings?.delete(binding);
    if (this.#bindings?.size === 0) this.#bindings = undefined;
  }
}

/**
 * A message matches the bindings whose pattern matches its routing key, word by word: `*` is one word, `#`
 * any number of words, also none. A word may be empty.
 *
 * The patterns are a tree with a word per level. The subject tree of the broker is none for AMQP: there, `>`
 * stands only at the end, for at least one word.
 */
export class TopicRouting implements Routing {
  readonly isOfKey = true;
  readonly #root = new Node();

  add(binding: Binding): void {
    let node = this.#root;
    for (const word of wordsOf(binding.routingKey)) node = node.ensure(word);
    node.add(binding);
  }

  remove(binding: Binding): void {
    const path = [this.#root];
    const words = wordsOf(binding.routingKey);
    for (const word of words) {
      const next = path.at(-1)!.next(word);
      if (!next) return;
      path.push(next);
    }
    path.at(-1)!.remove(binding);
    for (let i = words.length; i > 0 && path[i]!.isEmpty; i--) path[i - 1]!.forget(words[i - 1]!);
  }

  match({ routingKeys }: Routed, effort: Effort, found: (binding: Binding) => void): void {
    for (const key of routingKeys) this.#matchKey(key, effort, found);
  }

  #matchKey(routingKey: string, effort: Effort, found: (binding: Binding) => void): void {
    const words = wordsOf(routingKey);
    // All nodes that the words so far lead to, so that a pattern of many `#` costs no more than words ×
    // nodes.
    let nodes = withHashes(new Set([this.#root]));
    effort.spend(nodes.size);
    for (const word of words) {
      const next = new Set<Node>();
      for (const [node, isHash] of nodes) {
        if (isHash) next.add(node);
        for (const step of [word, '*']) {
          const child = node.next(step);
          if (child) next.add(child);
        }
      }
      nodes = withHashes(next, nodes);
      effort.spend(nodes.size);
    }
    for (const node of nodes.keys()) for (const binding of node.bindings) found(binding);
  }
}

/**
 * The nodes, and those that `#` without a word leads to from them. The value says whether the node stands for
 * a `#`, which takes any further word.
 */
function withHashes(nodes: ReadonlySet<Node>, before?: ReadonlyMap<Node, boolean>): Map<Node, boolean> {
  const all = new Map<Node, boolean>();
  for (const node of nodes) if (!all.has(node)) all.set(node, before?.get(node) ?? false);
  for (const node of all.keys()) {
    const hash = node.next('#');
    if (hash) all.set(hash, true);
  }
  return all;
}

function wordsOf(key: string): readonly string[] {
  return key === '' ? [] : key.split('.');
}
