import type { Random } from '../../../util/index.ts';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** An id that will not come twice: 22 characters, as NATS has them. */
export function freshId(random: Random, length: number = 22): string {
  let id = '';
  for (let i = 0; i < length; i++) id += digits[random.int(digits.length)];
  return id;
}
