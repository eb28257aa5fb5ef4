import { type Handler, nothing } from './handler.ts';

export const purgeQueue: Handler<'PurgeQueue'> = async ({ queues, waits }, _caller, { QueueUrl: url }) => {
  const { name, topic } = queues.byUrl(url);
  waits.purging(name);
  const { partitions } = topic;
  await Promise.all(partitions.opened.map((partition) => partition.purge({})));
  return nothing;
};
