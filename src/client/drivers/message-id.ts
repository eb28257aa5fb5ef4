import type { Header } from '../../broker/index.ts';
import { textOf } from '../../util/index.ts';

/** The header that carries the identity of a message where the target has no other place for it. */
export const messageIdHeader = 'Pillarbox-Message-Id';

export function idHeader(id: string): Header {
  return { name: messageIdHeader, value: Buffer.from(id, 'latin1') };
}

/** The first value of a header, as text. */
export function headerText(headers: readonly Header[], name: string): string | undefined {
  const value = headers.find((header) => header.name === name)?.value;
  return value ? textOf(value, 0, value.length) : undefined;
}

/** The identity of a message that carries none: its place. */
export function placeId(topic: string, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}
