import type { TopicConfig } from '../../../broker/index.ts';
import { subjectCovers } from '../../../util/index.ts';

/**
 * The attributes of a topic that captures other subjects from now on. Those that it no longer captures are
 * kept: messages that were published under them keep their subject.
 */
export function attributesWithPastSubjects(
  { subjects, attributes }: Pick<TopicConfig, 'subjects' | 'attributes'>,
  subjectsFromNow: readonly string[],
): TopicConfig['attributes'] {
  const { natsPastSubjects: past = [], ...others } = attributes;
  const all = new Set([...(past as readonly string[]), ...subjects]);
  const gone = [...all].filter(
    (subject) => !subjectsFromNow.some((pattern) => subjectCovers(pattern, subject)),
  );
  return gone.length > 0 ? { ...others, natsPastSubjects: gone } : others;
}
