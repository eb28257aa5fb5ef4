import type { KafkaSession } from '../../handler.ts';

/** A client's host as Kafka writes it. */
export function clientHostOf({ address }: KafkaSession): string {
  return `/${address}`;
}
