import { Decimal, isTable, Timestamp, type FieldTable, type FieldValue } from '../../wire/amqp/index.ts';
import { AmqpError } from './errors.ts';

/** The headers that name further routing keys. Consumers see `CC`, and not `BCC`. */
export const copyHeader = 'CC';
export const blindCopyHeader = 'BCC';

/** The routing keys that a message has besides its own. */
export interface CarbonCopies {
  readonly keys: readonly string[];
  /** Whether some of them are to be hidden. */
  readonly isBlind: boolean;
}

const noCopies: CarbonCopies = { keys: [], isBlind: false };

/**
 * Reads the headers `CC` and `BCC`. Elements that are no texts are skipped, as in RabbitMQ. Throws
 * PRECONDITION_FAILED if one of the headers is no array.
 */
export function carbonCopies(headers: FieldTable | undefined): CarbonCopies {
  if (!headers?.has(copyHeader) && !headers?.has(blindCopyHeader)) return noCopies;
  return {
    keys: [...keysOf(headers, copyHeader), ...keysOf(headers, blindCopyHeader)],
    isBlind: headers.has(blindCopyHeader),
  };
}

/** The routing keys in the header CC of a stored message; of other protocols it may be anything. */
export function copiesIn(headers: FieldTable | undefined): readonly string[] {
  const value = headers?.get(copyHeader);
  return Array.isArray(value) ? value.filter((key): key is string => typeof key === 'string') : [];
}

function keysOf(headers: FieldTable, name: string): readonly string[] {
  const value = headers.get(name);
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.filter((key): key is string => typeof key === 'string');
  throw new AmqpError(
    'PRECONDITION_FAILED',
    `invalid message: {unacceptable_type_in_header,"${name}",${typeOf(value)}}`,
  );
}

/** RabbitMQ's word for the type of a value. */
function typeOf(value: FieldValue): string {
  if (value === null) return 'void';
  if (typeof value === 'string') return 'longstr';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'long';
  if (typeof value === 'number') return Number.isInteger(value) ? 'signedint' : 'double';
  if (value instanceof Uint8Array) return 'binary';
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof Decimal) return 'decimal';
  return isTable(value) ? 'table' : 'array';
}
