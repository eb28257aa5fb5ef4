import type { Random } from '../../../util/index.ts';
import type { Uuid } from '../../../wire/kafka/index.ts';

/** A fresh UUID (version 4) in the form of Kafka's own tools: base64url. */
export function freshUuid(random: Random): Uuid {
  const bytes = Buffer.from(random.bytes(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('base64url');
}

/** An id for a member that has none. The prefix names its owner, so that people can recognize it. */
export function freshMemberId(random: Random, prefix: string): string {
  return `${prefix.slice(0, 200)}-${freshUuid(random)}`;
}
