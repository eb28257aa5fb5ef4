import { AwsError } from '../../../wire/aws/index.ts';
import { topicInArn } from '../arns.ts';
import type { Sns } from '../sns.ts';
import type { SnsTopic } from '../sns-topic.ts';
import { checkTags } from '../tags.ts';
import { type Handler, nothing } from './handler.ts';

export const tagResource: Handler<'TagResource'> = async (
  sns,
  _caller,
  { ResourceArn: arn, Tags: given },
) => {
  const topic = resource(sns, arn);
  const tags = { ...topic.tags, ...Object.fromEntries(given.map(({ Key, Value = '' }) => [Key, Value])) };
  checkTags(tags);
  await sns.topics.setTags(topic, tags);
  return nothing;
};

export const untagResource: Handler<'UntagResource'> = async (
  sns,
  _caller,
  { ResourceArn: arn, TagKeys: keys },
) => {
  const topic = resource(sns, arn);
  const tags = Object.fromEntries(Object.entries(topic.tags).filter(([key]) => !keys.includes(key)));
  await sns.topics.setTags(topic, tags);
  return nothing;
};

export const listTagsForResource: Handler<'ListTagsForResource'> = (sns, _caller, { ResourceArn: arn }) => ({
  Tags: Object.entries(resource(sns, arn).tags).map(([Key, Value]) => ({ Key, Value })),
});

function resource({ topics }: Sns, arn: string): SnsTopic {
  const topic = topics.get(topicInArn(arn, 'ResourceArn'));
  if (!topic) throw new AwsError('ResourceNotFound', 'Resource does not exist');
  return topic;
}
