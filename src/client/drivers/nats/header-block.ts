import type { Header } from '../../../broker/index.ts';

/** Reads the headers of a stored message: `NATS/1.0`, then a line for each. */
export function readHeaderBlock(block: Uint8Array): Header[] {
  const lines = Buffer.from(block).toString('utf8').split('\r\n').slice(1);
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    if (colon <= 0) return [];
    return [{ name: line.slice(0, colon), value: Buffer.from(line.slice(colon + 1).trim(), 'utf8') }];
  });
}
