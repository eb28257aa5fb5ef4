import { checkTags } from '../tags.ts';
import { type Handler, nothing } from './handler.ts';

export const tagQueue: Handler<'TagQueue'> = async ({ queues }, _caller, { QueueUrl: url, Tags: given }) => {
  const queue = queues.byUrl(url);
  const tags = new Map([...Object.entries(queue.stored.tags), ...given]);
  checkTags(tags);
  await queues.setTags(queue, Object.fromEntries(tags));
  return nothing;
};

export const untagQueue: Handler<'UntagQueue'> = async (
  { queues },
  _caller,
  { QueueUrl: url, TagKeys: keys },
) => {
  const queue = queues.byUrl(url);
  const tags = Object.entries(queue.stored.tags).filter(([key]) => !keys.includes(key));
  await queues.setTags(queue, Object.fromEntries(tags));
  return nothing;
};

export const listQueueTags: Handler<'ListQueueTags'> = ({ queues }, _caller, { QueueUrl: url }) => ({
  Tags: new Map(Object.entries(queues.byUrl(url).stored.tags)),
});
