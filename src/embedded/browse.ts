import type { Partition, Topic as CoreTopic } from '../broker/index.ts';
import type { AnyCodec } from './codec.ts';
import { Message, partsOf, valueOf } from './message.ts';
import { abortSignal, checkOptions, filter, limitOf, place, wholeNumber, type Checks } from './options.ts';

export interface BrowseOptions {
  /** Where to start in each partition. Default: at the oldest message. */
  readonly start?: { readonly offset: number } | { readonly timestampMs: number };
  /** Subject patterns over the key. */
  readonly filter?: string | readonly string[];
  /** Read this partition only. */
  readonly partition?: number;
  /** The most messages to read. Default: no limit. */
  readonly limit?: number;
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const browseChecks: Checks<BrowseOptions> = {
  start: place,
  filter,
  partition: wholeNumber(),
  limit: limitOf(0),
  signal: abortSignal,
};

export function checkBrowse(options: BrowseOptions): void {
  checkOptions('browse()', options, browseChecks);
}

/**
 * Reads stored messages up to the end of the partition, wherever it is by then. It leaves no trace: no group,
 * no position, no ack.
 */
export async function* browse<T>(
  topic: CoreTopic,
  codec: AnyCodec,
  options: BrowseOptions,
): AsyncGenerator<Message<T>, void, void> {
  const { filter, limit = Infinity, signal } = options;
  signal?.throwIfAborted();
  let count = 0;
  for (const partition of topic.partitions.opened.slice()) {
    if (options.partition !== undefined && partition.index !== options.partition) continue;
    const from = await startOffset(partition, options.start);
    const patterns = filter === undefined ? [] : typeof filter === 'string' ? [filter] : filter;
    const records = partition.scan(from, signal ? { patterns, signal } : { patterns });
    if (count >= limit) return;
    for await (const record of records) {
      const parts = partsOf(topic.name, partition.index, record);
      yield new Message(parts, await valueOf<T>(codec, parts));
      if (++count >= limit) return;
    }
  }
}

async function startOffset(partition: Partition, start: BrowseOptions['start']): Promise<number> {
  if (!start) return partition.firstOffset;
  return 'offset' in start ? start.offset : partition.offsetAtTime(start.timestampMs);
}
