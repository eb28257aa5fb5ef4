import type { LiveSubscription, RouteScope } from './route.ts';

/**
 * A subject tree holds patterns, one token per level, with the subscriptions and topics of each.
 *
 * ```
 *   orders.*.created   orders.eu.>        root ── orders ─┬─ * ── created (own)
 *                                                         └─ eu (rest)
 * ```
 * `own` belongs to the pattern that ends at the node, `rest` to the one that goes on with `>`.
 */
export class SubjectTree<T> {
  readonly root: Node<T> = new Node<T>();
  /** The scope of subjects whose first token occurs in no pattern. */
  readonly #unnamed: RouteScope = { generation: 0 };

  /** The leaf of a pattern, created if necessary. */
  place(pattern: string): Leaf<T> {
    let node = this.root;
    let start = 0;
    for (;;) {
      const dot = pattern.indexOf('.', start);
      const token = dot < 0 ? pattern.slice(start) : pattern.slice(start, dot);
      if (dot < 0) {
        if (token === '>') return (node.rest ??= new Leaf<T>());
        return (this.#child(node, token).own ??= new Leaf<T>());
      }
      node = this.#child(node, token);
      start = dot + 1;
    }
  }

  find(pattern: string): Leaf<T> | undefined {
    const node = this.#path(pattern)?.at(-1);
    return endsInRest(pattern) ? node?.rest : node?.own;
  }

  /** Removes the leaf of a pattern if nothing is attached to it any more, and nodes that only led to it. */
  prune(pattern: string): void {
    const path = this.#path(pattern);
    if (path === undefined) return;
    const node = path.at(-1)!;
    if (endsInRest(pattern)) {
      if (node.rest?.isEmpty) node.rest = undefined;
    } else if (node.own?.isEmpty) {
      node.own = undefined;
    }
    const tokens = pattern.split('.');
    for (let i = path.length - 1; i > 0 && path[i]!.isEmpty; i--) {
      const token = tokens[i - 1]!;
      if (token === '*') path[i - 1]!.star = undefined;
      else path[i - 1]!.dropChild(token);
    }
  }

  /** Invalidates the routes that a change at `pattern` may affect. */
  touch(pattern: string): void {
    const end = pattern.indexOf('.');
    const token = end < 0 ? pattern : pattern.slice(0, end);
    const scope = token === '*' || token === '>' ? this.root : this.scope(token);
    scope.generation++;
  }

  /** The scope of subjects with this first token, besides the root. */
  scope(token: string): RouteScope {
    return this.root.child(token) ?? this.#unnamed;
  }

  /** Collects the leaves that match a subject. True if its last token made no difference. */
  collect(tokens: readonly string[], found: (leaf: Leaf<T>) => void): boolean {
    const last = tokens.length - 1;
    let open = true;
    const walk = (node: Node<T>, i: number): void => {
      if (node.rest) found(node.rest);
      if (i === last && node.hasChildren) open = false;
      const literal = node.child(tokens[i]!);
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
    const known = node.child(token);
    if (known) return known;
    // Existing routes of this first token have no scope of their own.
    if (node === this.root) this.#unnamed.generation++;
    return node.addChild(token);
  }

  /** The nodes from the root to the end of the pattern (before its `>`). */
  #path(pattern: string): Node<T>[] | undefined {
    const path = [this.root];
    let node: Node<T> | undefined = this.root;
    for (const token of pattern.split('.')) {
      if (token === '>') break; // valid patterns have it only at the end
      node = token === '*' ? node.star : node.child(token);
      if (node === undefined) return undefined;
      path.push(node);
    }
    return path;
  }
}

/** The subscriptions and topics of one pattern. */
export class Leaf<T> {
  #subscriptions: LiveSubscription[] = none;
  #queues: Map<string, LiveSubscription[]> | undefined = undefined;
  #topic: T | undefined = undefined;
  #named: T | undefined = undefined;

  get subscriptions(): readonly LiveSubscription[] {
    return this.#subscriptions;
  }

  /** Members by the name of their queue. */
  get queues(): ReadonlyMap<string, readonly LiveSubscription[]> | undefined {
    return this.#queues;
  }

  /** The topic that captures matching subjects. */
  get topic(): T | undefined {
    return this.#topic;
  }

  get isEmpty(): boolean {
    return (
      this.#subscriptions.length === 0 &&
      this.#queues === undefined &&
      this.#topic === undefined &&
      this.#named === undefined
    );
  }

  /** The topic with this name. It gets messages that no topic captures. */
  get named(): T | undefined {
    return this.#named;
  }

  name(topic: T | undefined): void {
    this.#named = topic;
  }

  bind(topic: T | undefined): void {
    this.#topic = topic;
  }

  add(subscription: LiveSubscription): void {
    const { queue } = subscription;
    const list = queue === undefined ? this.#subscriptions : this.#queues?.get(queue);
    if (list !== undefined && list !== none) {
      subscription.index = list.length;
      list.push(subscription);
      return;
    }
    // Most leaves have one: a list literal of one takes an eighth of the memory of a list after a push.
    subscription.index = 0;
    if (queue === undefined) this.#subscriptions = [subscription];
    else (this.#queues ??= new Map<string, LiveSubscription[]>()).set(queue, [subscription]);
  }

  remove(subscription: LiveSubscription): void {
    const { queue, index } = subscription;
    const list = queue === undefined ? this.#subscriptions : this.#queues!.get(queue)!;
    const last = list.pop()!;
    if (last !== subscription) {
      list[index] = last;
      last.index = index;
    }
    subscription.index = -1;
    if (list.length > 0) return;
    if (queue === undefined) this.#subscriptions = none;
    else if (this.#queues!.delete(queue) && this.#queues!.size === 0) this.#queues = undefined;
  }
}

/** Never pushed to. */
const none: LiveSubscription[] = [];

class Node<T> implements RouteScope {
  /** An only child has no map: most nodes below the first level have one child, and a map takes 200 bytes. */
  #onlyToken: string | undefined = undefined;
  #onlyChild: Node<T> | undefined = undefined;
  #children: Map<string, Node<T>> | undefined = undefined;
  star: Node<T> | undefined = undefined;
  own: Leaf<T> | undefined = undefined;
  rest: Leaf<T> | undefined = undefined;
  /**
   * Counts changes below a node of a first token; at the root, changes of patterns that begin with a
   * wildcard.
   */
  generation = 0;

  get isEmpty(): boolean {
    return !this.hasChildren && !this.star && !this.own && !this.rest;
  }

  get hasChildren(): boolean {
    return this.#onlyChild !== undefined || this.#children !== undefined;
  }

  child(token: string): Node<T> | undefined {
    if (this.#children !== undefined) return this.#children.get(token);
    return this.#onlyToken === token ? this.#onlyChild : undefined;
  }

  addChild(token: string): Node<T> {
    const child = new Node<T>();
    if (this.#children !== undefined) {
      this.#children.set(token, child);
    } else if (this.#onlyChild === undefined) {
      this.#onlyToken = token;
      this.#onlyChild = child;
    } else {
      this.#children = new Map<string, Node<T>>([
        [this.#onlyToken!, this.#onlyChild],
        [token, child],
      ]);
      this.#onlyToken = undefined;
      this.#onlyChild = undefined;
    }
    return child;
  }

  dropChild(token: string): void {
    if (this.#children === undefined) {
      this.#onlyToken = undefined;
      this.#onlyChild = undefined;
    } else if (this.#children.delete(token) && this.#children.size === 0) {
      this.#children = undefined;
    }
  }
}

function endsInRest(pattern: string): boolean {
  return pattern === '>' || pattern.endsWith('.>');
}
