import type { Operation, PlannedMessage, Script } from './script.ts';

/**
 * Makes a failing script shorter: pieces of it are left out, large ones first, as long as the rest still
 * fails (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). Then the rest is
 * made simpler.
 */
export async function shrink(
  script: Script,
  fails: (script: Script) => Promise<boolean>,
  attemptsMax: number = 4000,
): Promise<Script> {
  let best = script;
  let attempts = 0;
  const attempt = async (operations: readonly Operation[]): Promise<boolean> => {
    const candidate = { ...best, operations };
    if (attempts++ >= attemptsMax || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let again = true; again;) {
    const before = JSON.stringify(best);
    for (let size = Math.ceil(best.operations.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < best.operations.length;) {
        const { operations } = best;
        if (!(await attempt([...operations.slice(0, at), ...operations.slice(at + size)]))) at += size;
      }
    }
    for (let at = 0; at < best.operations.length; at++) {
      for (const simpler of simplerThan(best.operations[at]!))
        await attempt(best.operations.with(at, simpler));
    }
    again = JSON.stringify(best) !== before;
  }
  return best;
}

/** Steps that may do as well, the simplest first. */
function* simplerThan(operation: Operation): Generator<Operation> {
  if (operation.steps !== -1) yield { ...operation, steps: -1 };
  if (operation.sync) {
    const { sync: _, ...rest } = operation;
    yield rest;
  }
  switch (operation.kind) {
    case 'publish':
      for (let at = 0; at < operation.messages.length && operation.messages.length > 1; at++)
        yield { ...operation, messages: operation.messages.toSpliced(at, 1) };
      for (const [at, message] of operation.messages.entries()) {
        for (const simpler of simplerMessages(message))
          yield { ...operation, messages: operation.messages.with(at, simpler) };
      }
      break;
    case 'create-topic':
      for (const options of withoutEach(operation.options, ['name'])) yield { ...operation, options };
      break;
    case 'create-group':
      for (const options of withoutEach(operation.options, ['name'])) yield { ...operation, options };
      break;
    case 'crash':
      if (operation.again.length > 0) yield { ...operation, again: operation.again.slice(1) };
      if (operation.power) yield { ...operation, power: false };
      break;
    default:
  }
}

function simplerMessages(message: PlannedMessage): PlannedMessage[] {
  return [
    ...withoutEach(message, ['id', 'key', 'bytes']),
    ...(message.bytes > 0 ? [{ ...message, bytes: 0 }] : []),
  ];
}

function withoutEach<T extends object>(object: T, kept: readonly (keyof T)[]): T[] {
  return (Object.keys(object) as (keyof T)[])
    .filter((name) => !kept.includes(name))
    .map((name) => {
      const { [name]: _, ...rest } = object;
      return rest as T;
    });
}
