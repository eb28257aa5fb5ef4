import type { SnsTopic } from '../sns-topic.ts';
import { topicArn, topicInArn } from '../arns.ts';
import { invalidParameter } from '../errors.ts';
import { pageOf } from '../page.ts';
import { fullAccess } from '../../users/index.ts';
import { checkTags } from '../tags.ts';
import { checkTopicAttribute, shownAttributes, withAttribute } from '../topic-attributes.ts';
import type { Texts } from '../topic-store.ts';
import { type Handler, nothing } from './handler.ts';

export const createTopic: Handler<'CreateTopic'> = async (sns, caller, input) => {
  const { Name: name, Attributes: given = new Map<string, string>(), Tags: tagList = [] } = input;
  const isFifo = given.get('FifoTopic') === 'true';
  checkName(name, isFifo);
  let attributes: Texts = {};
  for (const [key, value] of given) {
    checkTopicAttribute(key, value, isFifo);
    // A standard topic has no such attribute.
    if (key !== 'FifoTopic' || isFifo) attributes = withAttribute(attributes, key, value);
  }
  const tags = Object.fromEntries(tagList.map(({ Key, Value = '' }) => [Key, Value]));
  checkTags(tags);
  const existing = sns.topics.get(name);
  if (existing) {
    checkSame(existing, attributes, tagList.length === 0 ? existing.tags : tags);
    await sns.sqs.committed();
  } else await sns.topics.create(name, { attributes, tags });
  return { TopicArn: topicArn(caller, name) };
};

function checkName(name: string, isFifo: boolean): void {
  if (name.length <= 256 && (isFifo ? /^[A-Za-z0-9_-]+\.fifo$/ : /^[A-Za-z0-9_-]+$/).test(name)) return;
  throw invalidParameter(
    isFifo
      ? 'Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long.'
      : 'Topic Name',
  );
}

function checkSame(topic: SnsTopic, attributes: Texts, tags: Texts): void {
  for (const [name, value] of Object.entries(attributes))
    if (topic.attributes[name] !== value)
      throw invalidParameter('Attributes', 'Topic already exists with different attributes');
  const names = Object.keys(tags);
  if (
    names.length !== Object.keys(topic.tags).length ||
    names.some((name) => tags[name] !== topic.tags[name])
  )
    throw invalidParameter('Tags', 'Topic already exists with different tags');
}

/** A topic that is not there is deleted. */
export const deleteTopic: Handler<'DeleteTopic'> = async (sns, _caller, { TopicArn: arn }) => {
  const topic = sns.topics.get(topicInArn(arn));
  if (topic) await sns.topics.delete(topic);
  return nothing;
};

export const listTopics: Handler<'ListTopics'> = (sns, caller, { NextToken: token }) => {
  const { access } = caller;
  const names = sns.topics.names();
  const seen = access === fullAccess ? names : names.filter((name) => access.maySee(name));
  const { items, next } = pageOf(seen, (name) => name, token);
  return { Topics: items.map((name) => ({ TopicArn: topicArn(caller, name) })), NextToken: next };
};

export const getTopicAttributes: Handler<'GetTopicAttributes'> = (sns, caller, { TopicArn: arn }) => {
  const topic = sns.topics.byName(topicInArn(arn));
  return { Attributes: shownAttributes(topic, topicArn(caller, topic.name), caller.account) };
};

export const setTopicAttributes: Handler<'SetTopicAttributes'> = async (sns, _caller, input) => {
  const { AttributeName: name, AttributeValue: value = '' } = input;
  const topic = sns.topics.byName(topicInArn(input.TopicArn));
  // A topic is of one kind for ever.
  if (name === 'FifoTopic') throw invalidParameter('AttributeName');
  checkTopicAttribute(name, value, topic.isFifo);
  await sns.topics.setAttributes(topic, withAttribute(topic.attributes, name, value));
  return nothing;
};
