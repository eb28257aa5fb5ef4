import type { DeadLetterPolicyJson } from '../../admin-api/index.ts';
import type { GroupConfig, TopicDeadLetterPolicy } from '../../broker/index.ts';
import type { Access } from '../../protocols/index.ts';
import { checkMay } from './context.ts';
import { type Field, type Shape, anything, readObject } from './shape.ts';

type GroupPolicy = Exclude<GroupConfig['deadLetter'], string | undefined>;

const policyShape: Shape<TopicDeadLetterPolicy> = {
  to: anything as Field<string>,
  causes: anything as Field<never>,
  limits: anything as Field<object>,
};

/** The dead-letter policy of a topic. The broker checks what its members say. */
export const topicPolicy: Field<TopicDeadLetterPolicy> = (value) =>
  readObject(value, policyShape, ['causes'], '"deadLetter"');

/** That of a group: the name of a topic, or a policy. */
export const groupPolicy: Field<string | GroupPolicy> = (value) =>
  typeof value === 'string'
    ? value
    : readObject(value, policyShape as Shape<GroupPolicy>, [], '"deadLetter"');

/**
 * Throws an HttpError if the user may not publish to the topics that a policy names: the broker would do it
 * for the user.
 */
export function checkMayFill(
  policy: string | Pick<DeadLetterPolicyJson, 'to'> | null | undefined,
  access: Access,
): void {
  const to = typeof policy === 'object' ? policy?.to : policy;
  const names = typeof to === 'string' ? [to] : Array.isArray(to) ? (to as readonly unknown[]) : [];
  for (const name of names) if (typeof name === 'string') checkMay('publish', access, name);
}
