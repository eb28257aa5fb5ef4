// The exports of the package 'pillarbox': the embedded broker.
import { open as openBox } from './embedded/index.ts';
import type { Box, OpenOptions } from './embedded/index.ts';

export * from './embedded/index.ts';

/**
 * Opens a box: in memory, for tests and for data that need not last, or in a directory. The directory may
 * come from a server, with batches from Kafka clients. docs/embedded.md shows how to use it.
 */
export function open(options: OpenOptions = {}): Promise<Box> {
  // Combined here because the embedded API depends on the broker alone, and the codecs belong to `wire`.
  return openBox(options, async () => (await import('./wire/kafka/compression/index.ts')).decompress);
}
