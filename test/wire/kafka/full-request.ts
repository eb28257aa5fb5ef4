import { Writer, includes, zeroUuid, type AnyApi } from '../../../src/wire/kafka/index.ts';
import { versionsOf, type Field, type Fields } from '../../../src/wire/kafka/schema.ts';

/** A request with a body of one's own, as a client sends it. */
export function requestFrame(api: AnyApi, version: number, body: Buffer): Buffer {
  const writer = new Writer();
  writer.beginFrame();
  writer.int16(api.key);
  writer.int16(version);
  writer.int32(1);
  writer.string('test');
  if (includes(api.flexible, version)) writer.uvarint(0);
  writer.endFrame();
  const frame = Buffer.concat([...writer.take(), body]);
  frame.writeInt32BE(frame.length - 4, 0);
  return frame;
}

/** Which of a request's arrays is full: the first of all, or the first within that one. */
export type Where = 'outer' | 'inner';

/**
 * The largest request of a version, in bytes and elements, with one array full of names that a test may have
 * made: `t0`, `g`. Undefined: the version has no array.
 */
export function fullRequest(
  api: AnyApi,
  version: number,
  bytesMax: number,
  elementsMax: number,
  where: Where = 'inner',
): Buffer | undefined {
  const one = encoded(api, version, 1, where);
  const elementBytes = encoded(api, version, 2, where).length - one.length;
  if (elementBytes === 0) return undefined;
  const count = Math.min(elementsMax, Math.floor((bytesMax - one.length) / elementBytes));
  return requestFrame(api, version, encoded(api, version, Math.max(1, count), where));
}

function encoded(api: AnyApi, version: number, count: number, where: Where): Buffer {
  const writer = new Writer();
  api.request.encode(writer, version, filled(api.request.fields, version, { left: count, where }));
  return Buffer.concat(writer.take());
}

/** Elements for the array that is to be full; all others have one. */
interface Budget {
  left: number;
  readonly where: Where;
}

function take(budget: Budget): number {
  const count = Math.max(1, budget.left);
  budget.left = 0;
  return count;
}

function filled(fields: Fields, version: number, budget: Budget): object {
  const values: { [name: string]: unknown } = {};
  for (const [name, field] of Object.entries(fields))
    if (includes(versionsOf(field), version)) values[name] = valueOf(name, field, version, budget);
  return values;
}

function valueOf(name: string, field: Field, version: number, budget: Budget): unknown {
  const { type } = field;
  if (type === 'struct') return filled(field.fields, version, budget);
  if (type === '[]struct') {
    const hasInner = Object.values(field.fields).some(
      (inner) => inner.type.startsWith('[]') && includes(versionsOf(inner), version),
    );
    const count = hasInner && budget.where === 'inner' ? 1 : take(budget);
    const element = filled(field.fields, version, budget);
    return Array.from({ length: count }, () => element);
  }
  if (type.startsWith('[]')) return Array.from({ length: take(budget) }, () => scalarOf(name, type.slice(2)));
  return field.nullable === undefined || /name/i.test(name) ? scalarOf(name, type) : null;
}

function scalarOf(name: string, type: string): unknown {
  switch (type) {
    case 'string':
      return /topic|name/i.test(name) ? 't0' : 'g';
    case 'bool':
      return false;
    case 'uuid':
      return zeroUuid;
    case 'bytes':
    case 'records':
      return Buffer.alloc(0);
    default:
      return name === 'resourceType' ? 2 : 0;
  }
}
