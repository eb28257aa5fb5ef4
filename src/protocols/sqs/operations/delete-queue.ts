import { type Handler, nothing } from './handler.ts';

export const deleteQueue: Handler<'DeleteQueue'> = async ({ queues }, _caller, { QueueUrl: url }) => {
  await queues.byUrl(url).topic.delete();
  return nothing;
};
