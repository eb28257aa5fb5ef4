import type { Random } from '../../../util/index.ts';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A unique id: 22 characters, as in NATS. */
export function freshId(random: Random, length: number = 22): string {
  let id = '';
  for (let i = 0; i < length; i++) id += digits[random.int(digits.length)];
  return id;
}
