import { WireError } from './errors.ts';
import type { Reader } from './reader.ts';
import {
  includes,
  nullableVersionsOf,
  versionsOf,
  type Field,
  type Fields,
  type ScalarName,
} from './schema.ts';
import { uuidBytes, zeroUuid, type Uuid } from './uuid.ts';
import type { RecordsSource, Writer } from './writer.ts';

/** Reads and writes values of one type in one version. */
interface Type {
  /** The least bytes of a value. It limits the count of an array to what fits into the frame. */
  readonly bytesMin: number;
  /** May return null; the caller knows whether the field is nullable. */
  read(reader: Reader): unknown;
  /** The value is null only if the field is nullable. */
  write(writer: Writer, value: unknown): void;
}

/** A struct in one version. */
export interface Struct extends Type {
  /** All fields at their defaults, including those that the version lacks. Shared and frozen. */
  readonly blank: Values;
  read(reader: Reader): Values;
}

interface Values {
  [name: string]: unknown;
}

interface CompiledField extends Type {
  readonly name: string;
  readonly absent: unknown;
}

interface TaggedField extends CompiledField {
  readonly tag: number;
  isDefault(value: unknown): boolean;
}

const emptyArray: readonly unknown[] = Object.freeze([]);
const emptyBytes = Buffer.alloc(0);

/** Builds the reader and writer of a struct for a version. `path` names the struct in errors. */
export function compileStruct(fields: Fields, version: number, flexible: boolean, path: string): Struct {
  const body: CompiledField[] = [];
  const tagged: TaggedField[] = [];
  const blank: Values = {};
  for (const [name, field] of Object.entries(fields)) {
    const absent = defaultOf(field);
    blank[name] = absent;
    if (!includes(versionsOf(field), version)) continue;
    const compiled = { name, absent, ...compileField(field, version, flexible, `${path}.${name}`) };
    if (field.tag === undefined) body.push(compiled);
    else tagged.push({ ...compiled, tag: field.tag, isDefault: (value) => isDefault(field, value) });
  }
  Object.freeze(blank);
  tagged.sort((a, b) => a.tag - b.tag);
  let bytesMin = flexible ? 1 : 0;
  for (const field of body) bytesMin += field.bytesMin;
  return {
    blank,
    bytesMin,
    read(reader) {
      // The copy has its final shape from the start; assigning fields does not change it.
      const values: Values = { ...blank };
      for (const field of body) values[field.name] = field.read(reader);
      if (flexible) readTags(reader, tagged, values);
      return values;
    },
    write(writer, value) {
      const values = value as Values;
      for (const field of body) {
        const given = values[field.name];
        field.write(writer, given === undefined ? field.absent : given);
      }
      if (flexible) writeTags(writer, tagged, values);
    },
  };
}

/** Unknown tags are skipped. */
function readTags(reader: Reader, tagged: readonly TaggedField[], values: Values): void {
  for (let count = reader.tagCount(); count > 0; count--) {
    const tag = reader.uvarint();
    const outerEnd = reader.narrow(reader.uvarint());
    const field = tagged.find((each) => each.tag === tag);
    if (field) values[field.name] = field.read(reader);
    reader.widen(outerEnd);
  }
}

function writeTags(writer: Writer, tagged: readonly TaggedField[], values: Values): void {
  let count = 0;
  for (const field of tagged) if (!field.isDefault(values[field.name])) count++;
  writer.uvarint(count);
  if (count === 0) return;
  for (const field of tagged) {
    const value = values[field.name];
    if (field.isDefault(value)) continue;
    const start = writer.beginTag(field.tag);
    field.write(writer, value);
    writer.endTag(start);
  }
}

function compileField(field: Field, version: number, flexible: boolean, path: string): Type {
  const type = compileType(field, version, flexible, path);
  if (field.type in fixedTypes || includes(nullableVersionsOf(field), version)) return type;
  return {
    bytesMin: type.bytesMin,
    read(reader) {
      const value = type.read(reader);
      if (value === null) {
        throw new WireError(
          'unexpected-null',
          `${path} is null before ${reader.position}; version ${version} has no null there.`,
        );
      }
      return value;
    },
    write(writer, value) {
      if (value === null) throw new TypeError(`${path} is null; version ${version} has no null there.`);
      type.write(writer, value);
    },
  };
}

function compileType(field: Field, version: number, flexible: boolean, path: string): Type {
  if (field.type === 'struct') {
    const struct = compileStruct(field.fields, version, flexible, path);
    return includes(nullableVersionsOf(field), version) ? nullableStruct(struct) : struct;
  }
  if (field.type === '[]struct')
    return arrayOf(compileStruct(field.fields, version, flexible, path), flexible);
  if (isArray(field.type)) return arrayOf(scalarType(field.type.slice(2) as ScalarName, flexible), flexible);
  return scalarType(field.type, flexible);
}

function isArray(type: string): type is `[]${ScalarName}` {
  return type.startsWith('[]');
}

function scalarType(name: ScalarName, flexible: boolean): Type {
  return fixedTypes[name] ?? (flexible ? compactTypes : plainTypes)[name as SizedName];
}

const fixedTypes: { readonly [name: string]: Type } = {
  bool: {
    bytesMin: 1,
    read: (reader) => reader.bool(),
    write: (writer, value) => writer.bool(value as boolean),
  },
  int8: {
    bytesMin: 1,
    read: (reader) => reader.int8(),
    write: (writer, value) => writer.int8(value as number),
  },
  int16: {
    bytesMin: 2,
    read: (reader) => reader.int16(),
    write: (writer, value) => writer.int16(value as number),
  },
  int32: {
    bytesMin: 4,
    read: (reader) => reader.int32(),
    write: (writer, value) => writer.int32(value as number),
  },
  int64: {
    bytesMin: 8,
    read: (reader) => reader.int64(),
    write: (writer, value) => writer.int64(value as number),
  },
  float64: {
    bytesMin: 8,
    read: (reader) => reader.float64(),
    write: (writer, value) => writer.float64(value as number),
  },
  uuid: {
    bytesMin: uuidBytes,
    read: (reader) => reader.uuid(),
    write: (writer, value) => writer.uuid(value as Uuid),
  },
};

type SizedName = 'string' | 'bytes' | 'records';

const plainBytes: Type = {
  bytesMin: 4,
  read: (reader) => reader.bytes(),
  write: (writer, value) => writer.bytes(value as RecordsSource | null),
};

const plainTypes: { readonly [N in SizedName]: Type } = {
  string: {
    bytesMin: 2,
    read: (reader) => reader.string(),
    write: (writer, value) => writer.string(value as string | null),
  },
  bytes: plainBytes,
  records: plainBytes,
};

const compactBytes: Type = {
  bytesMin: 1,
  read: (reader) => reader.compactBytes(),
  write: (writer, value) => writer.compactBytes(value as RecordsSource | null),
};

const compactTypes: { readonly [N in SizedName]: Type } = {
  string: {
    bytesMin: 1,
    read: (reader) => reader.compactString(),
    write: (writer, value) => writer.compactString(value as string | null),
  },
  bytes: compactBytes,
  records: compactBytes,
};

function arrayOf(element: Type, flexible: boolean): Type {
  // With elements of zero bytes the count would have no bound.
  if (element.bytesMin < 1) throw new TypeError('Array elements of no bytes.');
  return {
    bytesMin: flexible ? 1 : 4,
    read(reader) {
      const count = flexible ? reader.compactCount(element.bytesMin) : reader.count(element.bytesMin);
      if (count === -1) return null;
      if (count === 0) return emptyArray;
      const elements: unknown[] = [];
      for (let i = 0; i < count; i++) elements.push(readElement(element, reader));
      return elements;
    },
    write(writer, value) {
      const elements = value as readonly unknown[] | null;
      const count = elements === null ? -1 : elements.length;
      if (flexible) writer.compactCount(count);
      else writer.count(count);
      for (let i = 0; i < count; i++) element.write(writer, elements![i]);
    },
  };
}

function readElement(element: Type, reader: Reader): unknown {
  const value = element.read(reader);
  if (value === null)
    throw new WireError('unexpected-null', `A null element in an array before ${reader.position}.`);
  return value;
}

/** A nullable struct has a byte in front: -1 for null, 1 for a struct (KIP-893). */
function nullableStruct(struct: Struct): Type {
  return {
    bytesMin: 1,
    read: (reader) => (reader.int8() < 0 ? null : struct.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1);
      if (value !== null) struct.write(writer, value);
    },
  };
}

function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if (field.type === 'struct') {
    const blank: Values = {};
    for (const [name, inner] of Object.entries(field.fields)) blank[name] = defaultOf(inner);
    return Object.freeze(blank);
  }
  if (field.type.startsWith('[]')) return emptyArray;
  if (field.type === 'bool') return false;
  if (field.type === 'string') return '';
  if (field.type === 'uuid') return zeroUuid;
  if (field.type === 'bytes') return emptyBytes;
  return field.type === 'records' ? null : 0;
}

/** Whether the value equals the default; `undefined` counts as the default. */
function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true;
  if (field.type === 'struct' && value !== null) {
    return Object.entries(field.fields).every(([name, inner]) => isDefault(inner, (value as Values)[name]));
  }
  const absent = defaultOf(field);
  if (Array.isArray(value) || value instanceof Uint8Array) return absent !== null && value.length === 0;
  return value === absent;
}
