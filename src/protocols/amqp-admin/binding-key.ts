import { createHash } from 'node:crypto';
import { encodeTable, type FieldTable } from '../../wire/amqp/index.ts';

/**
 * The key of a binding in paths: `~` without routing key and arguments, else the routing key and a digest of
 * the arguments, if there are any. Clients take it as it is.
 */
export function propertiesKey(routingKey: string, table: FieldTable): string {
  const key = encodeURIComponent(routingKey).replaceAll('~', '%7E').replaceAll('%20', '+');
  if (table.size > 0) return `${key}~${digestOf(table)}`;
  return key === '' ? '~' : key;
}

function digestOf(table: FieldTable): string {
  return createHash('sha256').update(encodeTable(table)).digest('base64url').slice(0, 22);
}
