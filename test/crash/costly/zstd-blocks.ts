/** How many bytes a block of {@link tableBlocks} takes. */
const blockBytes = 10;

/**
 * A zstd frame of about so many bytes, of blocks of 10 bytes with a Huffman table of 2^11 places each (RFC
 * 8878, 4.2.1) for a single literal: the most work there is in a byte.
 */
export function tableBlocks(bytes: number): Buffer {
  const literals = [0x12, 0xc0, 0x00]; // compressed, one stream; 1 literal of 3 bytes
  const table = [0x80, 0xb0]; // weights: one of 11, so that the other is 11 as well
  const stream = [0x02]; // one bit
  const sequences = [0]; // none
  const block = Buffer.from([...head(false), ...literals, ...table, ...stream, ...sequences]);
  const count = Math.floor(bytes / blockBytes);
  const blocks = Buffer.alloc(count * blockBytes, block);
  blocks.set(head(true), (count - 1) * blockBytes);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]), blocks]);
}

/** The header of a compressed block of 7 bytes. */
function head(isLast: boolean): readonly number[] {
  return [(7 << 3) | (2 << 1) | (isLast ? 1 : 0), 0, 0];
}
