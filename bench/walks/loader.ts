import type { LoadFnOutput, LoadHook } from 'node:module';

/** The key of the function in `globalThis` that makes the {@link Tracer} of a module. */
export const tracerKey = 'pillarbox.walks';

let base = '';

export function initialize(data: { readonly base: string }): void {
  base = data.base;
}

/** Adds to each module below the base a last block that lets its tracer wrap its classes and tables. */
export const load: LoadHook = async (url, context, nextLoad): Promise<LoadFnOutput> => {
  const loaded = await nextLoad(url, context);
  if (!url.startsWith(base) || loaded.source === undefined || loaded.source === null) return loaded;
  const source =
    typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
  const module = url.slice(base.length).replace(/\.js$/, '');
  const named = (pattern: RegExp): string[] => [...source.matchAll(pattern)].map(([, name]) => name!);
  const lines = [
    ...named(/^(?:export )?class (\w+)/gm).map((name) => `tracer$.wrapClass(${name});`),
    ...named(/^(?:export )?const (\w+) = \{/gm).map((name) => `tracer$.wrapTable(${name});`),
  ];
  const tracer = `globalThis[Symbol.for('${tracerKey}')](${JSON.stringify(module)})`;
  return { ...loaded, source: `${source}\n{\nconst tracer$ = ${tracer};\n${lines.join('\n')}\n}\n` };
};
