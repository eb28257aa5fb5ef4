import type { ApiAnswer } from '../api.ts';
import type { Context } from '../context.ts';

/**
 * INFO: the usage and limits of the account. There are no account limits; the broker's watermarks are the
 * limit.
 */
export function accountInfo({ broker, counters, server }: Context): ApiAnswer {
  let memory = 0;
  let storage = 0;
  let consumers = 0;
  for (const topic of broker.topics.values()) {
    if (topic.config.durability === 'memory') memory += topic.bytes;
    else storage += topic.bytes;
    consumers += topic.groups.size;
  }
  return {
    memory,
    storage,
    reserved_memory: 0,
    reserved_storage: 0,
    streams: broker.topics.size,
    consumers,
    limits: {
      max_memory: -1,
      max_storage: -1,
      max_streams: -1,
      max_consumers: -1,
      max_ack_pending: -1,
      memory_max_stream_bytes: -1,
      storage_max_stream_bytes: -1,
      max_bytes_required: false,
    },
    api: { level: server.apiLevel, total: counters.total, errors: counters.errors },
  };
}
