import { Decimal, withHeaders, type FieldTable, type Properties } from '../../../wire/amqp/index.ts';
import { AmqpError } from '../errors.ts';
import { exchangeTypeOf, type ExchangeType } from './routing.ts';

// An exchange of the type `x-delayed-message` routes as its argument `x-delayed-type` says. A message with
// the header `x-delay` arrives in its queues so many milliseconds later.

const typeArgument = 'x-delayed-type';
/** The header of a message. Consumers see the delay as a negative number: it is over. */
const delayHeader = 'x-delay';
/** Some 300 years; a longer delay is this long. */
const delayMsMax = 1e13;

/** The type by which a delayed exchange routes. Throws an AmqpError if the argument names none. */
export function delayedType(table: FieldTable): ExchangeType {
  const type = table.get(typeArgument);
  if (typeof type !== 'string' || type === 'x-delayed-message')
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `Invalid argument, '${typeArgument}' must be an existing exchange type`,
    );
  return exchangeTypeOf(type);
}

/** The delay that the headers of a message ask for, in milliseconds; 0: none. */
export function delayOf(headers: FieldTable): number {
  const value = headers.get(delayHeader);
  const number =
    value instanceof Decimal ? value.value / 10 ** value.scale : Number(isNumeric(value) ? value : 0);
  return number > 0 ? Math.min(Math.trunc(number), delayMsMax) : 0;
}

/** The encoded properties of a message as consumers see them after the delay: it is a negative number. */
export function withDelayOver(properties: Buffer, { headers }: Properties): Buffer {
  return withHeaders(properties, [], new Map([[delayHeader, -delayOf(headers ?? new Map())]]));
}

function isNumeric(value: unknown): boolean {
  if (typeof value === 'string') return /^[+-]?\d+$/.test(value);
  return typeof value === 'number' || typeof value === 'bigint';
}
