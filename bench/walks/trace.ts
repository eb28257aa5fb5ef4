import { tracerKey } from './loader.ts';

type Call = (this: unknown, ...args: readonly unknown[]) => unknown;

/** A tracer notes the calls of one module while a walk is recorded. */
interface Tracer {
  /** Methods, static ones too, but those that are private. */
  wrapClass(type: { readonly prototype: object }): void;
  /** The functions of an object, such as a table of handlers. */
  wrapTable(table: object): void;
}

let walk: string[] | undefined;

function traced(call: Call, module: string): Call {
  const name = call.name;
  const entered: Call = function (this: unknown, ...args) {
    walk?.push(module);
    return Reflect.apply(call, this, args);
  };
  Object.defineProperty(entered, 'name', { value: name });
  return entered;
}

const isClass = (value: Call): boolean => /^class\b/.test(Function.prototype.toString.call(value));

function wrap(target: object, module: string): void {
  if (Object.isFrozen(target)) return;
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(target))) {
    const value: unknown = property.value;
    if (name === 'constructor' || name === 'prototype' || property.writable !== true) continue;
    if (typeof value !== 'function' || isClass(value as Call)) continue;
    Object.defineProperty(target, name, { ...property, value: traced(value as Call, module) });
  }
}

/** Makes {@link record} see the calls of modules that are loaded from now on. */
export function installTracer(): void {
  const tracerOf = (module: string): Tracer => ({
    wrapClass: (type) => {
      wrap(type.prototype, module);
      wrap(type, module);
    },
    wrapTable: (table) => wrap(table, module),
  });
  Object.defineProperty(globalThis, Symbol.for(tracerKey), { value: tracerOf });
}

/** The modules that are entered while the work lasts, one for each call. */
export async function record(work: () => Promise<unknown>): Promise<readonly string[]> {
  const entered: string[] = [];
  walk = entered;
  await work();
  walk = undefined;
  return entered;
}

/** The figures of a walk. */
export interface Figures {
  readonly modules: number;
  /** Calls in a row of one module are one stay. */
  readonly stays: number;
  /** How often a stay is in another layer than the one before. */
  readonly layerChanges: number;
  /** Stays in a module that the walk has left before. */
  readonly returns: number;
}

/** Counts a walk. Calls of `util` are left out: it is the language of all others. */
export function figuresOf(entered: readonly string[]): Figures {
  const calls = entered.filter((module) => layerOf(module) !== 'util');
  const stays = calls.filter((module, at) => module !== calls[at - 1]);
  const modules = new Set(stays).size;
  const layerChanges = stays.filter((module, at) => at > 0 && layerOf(module) !== layerOf(stays[at - 1]!));
  return {
    modules,
    stays: stays.length,
    layerChanges: layerChanges.length,
    returns: stays.length - modules,
  };
}

const layerOf = (module: string): string => module.slice(0, module.indexOf('/'));
