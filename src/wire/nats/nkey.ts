/**
 * An nkey is an Ed25519 key as NATS writes it: base32 (RFC 4648, no padding) of a prefix byte, the key, and
 * the CRC-16 (XMODEM) of both, little-endian. The prefix determines the first letter: `U` for the public key
 * of a user.
 */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const userPrefix = 20 << 3;
const keyBytes = 32;
const crcBytes = 2;
const nkeyCharacters = 56;

/** The 32 bytes of a user's public key; undefined if the text is not a key. */
export function decodeUserKey(text: string): Uint8Array | undefined {
  if (text.length !== nkeyCharacters) return undefined;
  const bytes = decodeBase32(text);
  if (bytes?.length !== 1 + keyBytes + crcBytes || bytes[0] !== userPrefix) return undefined;
  const end = 1 + keyBytes;
  const crc = bytes[end]! | (bytes[end + 1]! << 8);
  return crc16(bytes.subarray(0, end)) === crc ? bytes.slice(1, end) : undefined;
}

/** Writes 32 bytes as a user's public key. */
export function encodeUserKey(key: Uint8Array): string {
  const bytes = new Uint8Array(1 + keyBytes + crcBytes);
  bytes[0] = userPrefix;
  bytes.set(key, 1);
  const crc = crc16(bytes.subarray(0, 1 + keyBytes));
  bytes[1 + keyBytes] = crc & 0xff;
  bytes[2 + keyBytes] = crc >>> 8;
  return encodeBase32(bytes);
}

export function isPublicUserKey(text: string): boolean {
  return decodeUserKey(text) !== undefined;
}

/** Undefined when a character is none of the alphabet. Bits that fill no byte are dropped. */
function decodeBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (const character of text) {
    const value = alphabet.indexOf(character);
    if (value < 0) return undefined;
    bits = ((bits << 5) | value) & 0xfff;
    bitCount += 5;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[at++] = (bits >>> bitCount) & 0xff;
  }
  return bytes;
}

function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    bitCount += 8;
    while (bitCount >= 5) {
      bitCount -= 5;
      text += alphabet[(bits >>> bitCount) & 31];
    }
  }
  return bitCount > 0 ? text + alphabet[(bits << (5 - bitCount)) & 31] : text;
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}
