// What `import … from 'pillarbox'` gives: the embedded broker.
import { open as openBox } from './embedded/index.ts';
import type { Box, OpenOptions } from './embedded/index.ts';

export * from './embedded/index.ts';

/**
 * Opens a box: in memory, for tests and for what need not last, or in a directory, which a server may have
 * written before and Kafka clients filled. docs/embedded.md shows how it is used.
 */
export function open(options: OpenOptions = {}): Promise<Box> {
  // Put together here: the embedded API stands on the broker alone, and codecs are the wire's.
  return openBox(options, async () => (await import('./wire/kafka/compression/index.ts')).decompress);
}
