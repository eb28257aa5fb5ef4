import { type Handler, nothing } from './handler.ts';

export const deleteQueue: Handler<'DeleteQueue'> = async ({ queues, waits }, _caller, { QueueUrl: url }) => {
  const { name, topic } = queues.byUrl(url);
  const deletion = topic.delete();
  waits.deleted(name);
  await deletion;
  return nothing;
};
