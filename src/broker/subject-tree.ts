import type { LiveSubscription, RouteScope } from './route.ts';

/**
 * A subject tree holds patterns, one token a level, with what is attached to each.
 *
 * ```
 *   orders.*.created   orders.eu.>        root ── orders ─┬─ * ── created (own)
 *                                                         └─ eu (rest)
 * ```
 * `own` belongs to the pattern that ends at the node, `rest` to the one that goes on with `>`.
 */
export class SubjectTree<T> {
  readonly root: Node<T> = new Node<T>();
  /** What routes of subjects whose first token no pattern names depend on. */
  readonly #unnamed: RouteScope = { generation: 0 };

  /** The place of a pattern, made when it is not there. */
  place(pattern: string): Leaf<T> {
    const tokens = pattern.split('.');
    const last = tokens.length - 1;
    let node = this.root;
    for (let i = 0; i < last; i++) node = this.#child(node, tokens[i]!);
    if (tokens[last] === '>') return (node.rest ??= new Leaf<T>());
    return (this.#child(node, tokens[last]!).own ??= new Leaf<T>());
  }

  find(pattern: string): Leaf<T> | undefined {
    const path = this.#path(pattern);
    const node = path?.at(-1);
    return pattern === '>' || pattern.endsWith('.>') ? node?.rest : node?.own;
  }

  /** Drops the place of a pattern when nothing is attached to it any more, and nodes that led only there. */
  prune(pattern: string): void {
    const path = this.#path(pattern);
    if (path === undefined) return;
    const node = path.at(-1)!;
    if (pattern === '>' || pattern.endsWith('.>')) {
      if (node.rest?.isEmpty) node.rest = undefined;
    } else if (node.own?.isEmpty) {
      node.own = undefined;
    }
    const tokens = pattern.split('.');
    for (let i = path.length - 1; i > 0 && path[i]!.isEmpty; i--) {
      const parent = path[i - 1]!;
      const token = tokens[i - 1]!;
      if (token === '*') parent.star = undefined;
      else if (parent.children?.delete(token) && parent.children.size === 0) parent.children = undefined;
    }
  }

  /** Makes stale the routes that a change at `pattern` may have changed. */
  touch(pattern: string): void {
    this.#scopeOf(firstToken(pattern)).generation++;
  }

  /** What the routes of subjects with this first token depend on, beside the root. */
  scope(token: string): RouteScope {
    return this.root.children?.get(token) ?? this.#unnamed;
  }

  /** Collects what a subject reaches; true when its last token made no difference. */
  collect(tokens: readonly string[], found: (leaf: Leaf<T>) => void): boolean {
    const last = tokens.length - 1;
    let open = true;
    const walk = (node: Node<T>, i: number): void => {
      if (node.rest) found(node.rest);
      if (i === last && node.children) open = false;
      const literal = node.children?.get(tokens[i]!);
      if (literal) {
        if (i < last) walk(literal, i + 1);
        else if (literal.own) found(literal.own);
      }
      if (node.star) {
        if (i < last) walk(node.star, i + 1);
        else if (node.star.own) found(node.star.own);
      }
    };
    walk(this.root, 0);
    return open;
  }

  #child(node: Node<T>, token: string): Node<T> {
    if (token === '*') return (node.star ??= new Node<T>());
    node.children ??= new Map<string, Node<T>>();
    let child = node.children.get(token);
    if (child === undefined) {
      child = new Node<T>();
      node.children.set(token, child);
      // Routes of this first token were made without a scope of their own.
      if (node === this.root) this.#unnamed.generation++;
    }
    return child;
  }

  /** The nodes from the root to where the pattern ends (before its `>`). */
  #path(pattern: string): Node<T>[] | undefined {
    const path = [this.root];
    let node: Node<T> | undefined = this.root;
    for (const token of pattern.split('.')) {
      if (token === '>') break; // valid patterns have it only at the end
      node = token === '*' ? node.star : node.children?.get(token);
      if (node === undefined) return undefined;
      path.push(node);
    }
    return path;
  }

  #scopeOf(token: string): RouteScope {
    return token === '*' || token === '>' ? this.root : this.scope(token);
  }
}

/** What is attached to one pattern. */
export class Leaf<T> {
  readonly subscriptions: LiveSubscription[] = [];
  queues: Map<string, LiveSubscription[]> | undefined = undefined;
  topic: T | undefined = undefined;

  get isEmpty(): boolean {
    return this.subscriptions.length === 0 && this.queues === undefined && this.topic === undefined;
  }

  add(subscription: LiveSubscription): void {
    const list = this.#listOf(subscription.queue);
    subscription.index = list.length;
    list.push(subscription);
  }

  remove(subscription: LiveSubscription): void {
    const list = this.#listOf(subscription.queue);
    const last = list.pop()!;
    if (last !== subscription) {
      list[subscription.index] = last;
      last.index = subscription.index;
    }
    subscription.index = -1;
    if (subscription.queue !== undefined && list.length === 0) {
      this.queues!.delete(subscription.queue);
      if (this.queues!.size === 0) this.queues = undefined;
    }
  }

  #listOf(queue: string | undefined): LiveSubscription[] {
    if (queue === undefined) return this.subscriptions;
    this.queues ??= new Map<string, LiveSubscription[]>();
    let list = this.queues.get(queue);
    if (list === undefined) this.queues.set(queue, (list = []));
    return list;
  }
}

class Node<T> implements RouteScope {
  children: Map<string, Node<T>> | undefined = undefined;
  star: Node<T> | undefined = undefined;
  own: Leaf<T> | undefined = undefined;
  rest: Leaf<T> | undefined = undefined;
  /** Counts changes below, where the node is a first token, or of patterns that begin with a wildcard, where it is the root. */
  generation = 0;

  get isEmpty(): boolean {
    return !this.children && !this.star && !this.own && !this.rest;
  }
}

function firstToken(pattern: string): string {
  const end = pattern.indexOf('.');
  return end < 0 ? pattern : pattern.slice(0, end);
}
