import { type Handler, nothing } from './handler.ts';

export const purgeQueue: Handler<'PurgeQueue'> = async ({ queues }, _caller, { QueueUrl: url }) => {
  const { partitions } = queues.byUrl(url).topic;
  await Promise.all(partitions.opened.map((partition) => partition.purge({})));
  return nothing;
};
