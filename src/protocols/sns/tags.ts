import { AwsError } from '../../wire/aws/index.ts';
import { invalidParameter } from './errors.ts';
import { snsLimits } from './limits.ts';
import type { Texts } from './topic-store.ts';

/** Throws an AwsError for tags that a topic cannot have. */
export function checkTags(tags: Texts): void {
  const names = Object.keys(tags);
  if (names.length > snsLimits.tagsMax)
    throw new AwsError('TagLimitExceeded', 'Could not complete request: tag quota of per resource exceeded');
  for (const name of names) {
    if (name.length === 0 || name.length > 128)
      throw invalidParameter('Tags', 'A key has 1 to 128 characters');
    if (tags[name]!.length > 256) throw invalidParameter('Tags', 'A value has 256 characters at most');
  }
}
