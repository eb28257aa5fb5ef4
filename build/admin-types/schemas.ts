import type { Type, Types } from './types.ts';

/** A schema in the words of JSON Schema 2020-12. */
export type Schema = { readonly [keyword: string]: unknown };

/** Makes schemas of types. Interfaces become schemas of their own, which others refer to. */
export class Schemas {
  readonly #types: Types;
  readonly #named = new Map<string, Schema>();

  constructor(types: Types) {
    this.#types = types;
  }

  /** The schemas of all interfaces that were referred to, by name. */
  get named(): { readonly [name: string]: Schema } {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  of(type: Type): Schema {
    switch (type.kind) {
      case 'simple':
        return type.name === 'unknown' ? {} : { type: type.name };
      case 'literal':
        return { const: type.value };
      case 'list':
        return { type: 'array', items: this.of(type.of) };
      case 'tuple':
        return {
          type: 'array',
          prefixItems: type.of.map((part) => this.of(part)),
          minItems: type.of.length,
          maxItems: type.of.length,
        };
      case 'union':
        return this.#union(type.of);
      case 'object':
        return this.#object(type);
      default:
        return this.#reference(type.name);
    }
  }

  #reference(name: string): Schema {
    if (!this.#named.has(name)) {
      this.#named.set(name, {}); // a type may contain itself
      const doc = this.#types.docOf(name);
      const schema = this.of(this.#types.named(name));
      this.#named.set(name, doc === '' ? schema : { description: doc, ...schema });
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #object({ members, others }: Type & { readonly kind: 'object' }): Schema {
    const required = [...members].filter(([, { isOptional }]) => !isOptional).map(([name]) => name);
    const properties = [...members].map(([name, { type, doc }]) => {
      const schema = this.of(type);
      return [name, doc === '' ? schema : { ...schema, description: doc }] as const;
    });
    return {
      type: 'object',
      ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
      ...(required.length > 0 ? { required } : {}),
      ...(others ? { additionalProperties: this.of(others) } : {}),
    };
  }

  #union(parts: readonly Type[]): Schema {
    const all = parts
      .flatMap((part) => (part.kind === 'union' ? part.of : [part]))
      .filter((part) => part.kind !== 'simple' || part.name !== 'undefined');
    const values = all.flatMap((part) => (part.kind === 'literal' ? [part.value] : []));
    const simple = all.flatMap((part) => (part.kind === 'simple' ? [part.name] : []));
    const rest = all.filter((part) => part.kind !== 'literal' && part.kind !== 'simple');
    // `'a' | 'b' | null` is one list of values.
    const isNullOnly = simple.length > 0 && simple.every((name) => name === 'null');
    const choices: Schema[] = [];
    if (values.length > 0) choices.push({ enum: isNullOnly ? [...values, null] : values });
    if (simple.length > 0 && !(isNullOnly && values.length > 0))
      choices.push({ type: simple.length === 1 ? simple[0] : simple });
    choices.push(...rest.map((part) => this.of(part)));
    return choices.length === 1 ? choices[0]! : { anyOf: choices };
  }
}
