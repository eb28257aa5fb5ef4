import type { Attributes } from '../../../broker/index.ts';
import { aclOfText, Pattern, Resource, textOfAcl, type Acl } from './acl.ts';
import { matchesFilter, type AclFilter } from './acl-filter.ts';
import { PatternIndex } from './pattern-index.ts';

/** Bounds for the memory and the checkpoints that ACLs take. */
export interface AclLimits {
  readonly aclsMax: number;
  /** Characters of all ACLs in text form. */
  readonly aclCharactersMax: number;
}

export const defaultAclLimits: AclLimits = { aclsMax: 50_000, aclCharactersMax: 16 * 1024 * 1024 };

/** The name under which the broker keeps ACLs; each attribute is named after the text of its ACL. */
const aclAttributes = 'kafka-acls';

/** The ACLs that the broker keeps. */
export function* keptAcls(attributes: Attributes): Iterable<Acl> {
  for (const text of attributes.names(aclAttributes)) yield aclOfText(text);
}

/**
 * The ACLs of a broker, kept durably among its attributes. They are indexed by principal, by host, by name,
 * and by the patterns that cover a name, so that filters check only few of them.
 */
export class Acls {
  /** Incremented by each change. */
  version = 0;
  readonly #attributes: Attributes;
  readonly #limits: AclLimits;
  readonly #byText = new Map<string, Acl>();
  readonly #byPrincipal = new Map<string, Set<Acl>>();
  readonly #byHost = new Map<string, Set<Acl>>();
  readonly #byName = new Map<string, Set<Acl>>();
  readonly #byResource = new Map<number, PatternIndex<Set<Acl>>>();
  #characters = 0;

  constructor(attributes: Attributes, limits: AclLimits) {
    this.#attributes = attributes;
    this.#limits = limits;
    for (const acl of keptAcls(attributes)) this.#index(textOfAcl(acl), acl);
  }

  get size(): number {
    return this.#byText.size;
  }

  [Symbol.iterator](): Iterator<Acl> {
    return this.#byText.values();
  }

  of(principal: string): Iterable<Acl> {
    return this.#byPrincipal.get(principal) ?? [];
  }

  /** Whether any entry covers the resource, whatever its principal. */
  covers(resourceType: number, name: string): boolean {
    let isCovered = false;
    this.#byResource.get(resourceType)?.visit(name, () => (isCovered = true));
    return isCovered;
  }

  matching(filter: AclFilter): Acl[] {
    const found: Acl[] = [];
    for (const acl of this.candidates(filter)) if (matchesFilter(filter, acl)) found.push(acl);
    return found;
  }

  /** The entries that a filter has to check: the smallest set that one of its parts selects. */
  candidates({ resourceType, resourceName, patternType, principal, host }: AclFilter): Iterable<Acl> {
    const narrowed: Set<Acl>[] = [];
    const none = new Set<Acl>();
    if (principal !== null) narrowed.push(this.#byPrincipal.get(principal) ?? none);
    if (host !== null) narrowed.push(this.#byHost.get(host) ?? none);
    if (resourceName !== null)
      narrowed.push(
        patternType === Pattern.match
          ? this.#covering(resourceType, resourceName)
          : (this.#byName.get(resourceName) ?? none),
      );
    let fewest: Set<Acl> | undefined;
    for (const set of narrowed) if (fewest === undefined || set.size < fewest.size) fewest = set;
    return fewest ?? this.#byText.values();
  }

  #covering(resourceType: number, name: string): Set<Acl> {
    const found = new Set<Acl>();
    for (const [type, index] of this.#byResource)
      if (resourceType === Resource.any || resourceType === type)
        index.visit(name, (acls) => acls.forEach((acl) => found.add(acl)));
    return found;
  }

  has(acl: Acl): boolean {
    return this.#byText.has(textOfAcl(acl));
  }

  /** Whether there is room for this ACL. */
  hasRoomFor(acl: Acl): boolean {
    const { aclsMax, aclCharactersMax } = this.#limits;
    const text = textOfAcl(acl);
    return (
      this.size < aclsMax &&
      this.#characters + text.length <= aclCharactersMax &&
      this.#attributes.refusalOf(aclAttributes, text, true) === undefined
    );
  }

  /** The new entry applies at once; resolves when it is durable. */
  async add(acl: Acl): Promise<void> {
    const text = textOfAcl(acl);
    if (this.#byText.has(text)) return;
    const isDurable = this.#attributes.set(aclAttributes, text, true);
    if (this.#attributes.get(aclAttributes, text) === true) this.#index(text, acl);
    await isDurable;
  }

  /** The removal applies at once; resolves when it is durable. */
  async remove(acl: Acl): Promise<void> {
    const text = textOfAcl(acl);
    const known = this.#byText.get(text);
    if (known === undefined) return;
    const isDurable = this.#attributes.set(aclAttributes, text, undefined);
    if (this.#attributes.get(aclAttributes, text) === undefined) this.#forget(text, known);
    await isDurable;
  }

  #forget(text: string, known: Acl): void {
    this.version++;
    this.#byText.delete(text);
    this.#characters -= text.length;
    removeFrom(this.#byPrincipal, known.principal, known);
    removeFrom(this.#byHost, known.host, known);
    removeFrom(this.#byName, known.resourceName, known);
    const index = this.#byResource.get(known.resourceType)!;
    const atPattern = index.get(known.patternType, known.resourceName)!;
    atPattern.delete(known);
    if (atPattern.size === 0) index.delete(known.patternType, known.resourceName);
  }

  #index(text: string, acl: Acl): void {
    this.version++;
    this.#byText.set(text, acl);
    this.#characters += text.length;
    addTo(this.#byPrincipal, acl.principal, acl);
    addTo(this.#byHost, acl.host, acl);
    addTo(this.#byName, acl.resourceName, acl);
    let index = this.#byResource.get(acl.resourceType);
    if (index === undefined) this.#byResource.set(acl.resourceType, (index = new PatternIndex()));
    const atPattern = index.get(acl.patternType, acl.resourceName);
    if (atPattern) atPattern.add(acl);
    else index.set(acl.patternType, acl.resourceName, new Set([acl]));
  }
}

function addTo(map: Map<string, Set<Acl>>, key: string, acl: Acl): void {
  const set = map.get(key);
  if (set) set.add(acl);
  else map.set(key, new Set([acl]));
}

function removeFrom(map: Map<string, Set<Acl>>, key: string, acl: Acl): void {
  const set = map.get(key)!;
  set.delete(acl);
  if (set.size === 0) map.delete(key);
}
