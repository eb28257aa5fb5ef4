import { createHash } from 'node:crypto';

/** The payload of a message is a function of its id: mostly small, sometimes pages, rarely tens of them. */
export function payloadOf(id: string): Buffer {
  const dice = createHash('sha1').update(id).digest();
  const size = dice.readUInt16BE(0);
  const share = dice[2]! / 256;
  const length = share < 0.8 ? 20 + (size % 300) : share < 0.98 ? size % 4096 : size;
  const payload = Buffer.alloc(id.length + 1 + length, dice);
  payload.write(`${id} `);
  return payload;
}

/** The id a payload says it has. */
export function idOf(payload: Uint8Array): string {
  const end = payload.indexOf(32);
  const id = Buffer.from(payload.buffer, payload.byteOffset, Math.max(end, 0)).toString('latin1');
  return /^[\w-]{1,64}$/.test(id) ? id : 'unreadable';
}

/** Enough of a hash to tell two payloads apart, in characters that a log line can hold. */
export function hashOf(payload: Uint8Array): string {
  return createHash('sha1').update(payload).digest('base64url').slice(0, 16);
}
