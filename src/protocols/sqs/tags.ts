import { AwsError } from '../../wire/aws/index.ts';
import { sqsLimits } from './limits.ts';

/**
 * Throws an AwsError for tags that a queue cannot have: 50 at most, keys of 128 and values of 256 characters.
 */
export function checkTags(tags: ReadonlyMap<string, string>): void {
  const { tagsMax } = sqsLimits;
  if (tags.size > tagsMax)
    throw new AwsError(
      'InvalidParameterValue',
      `Too many tags added for queue. Maximum allowed is ${tagsMax}.`,
    );
  for (const [key, value] of tags) {
    if (key.length === 0 || key.length > 128)
      throw new AwsError('InvalidParameterValue', 'Tag keys must be between 1 and 128 characters in length.');
    if (value.length > 256)
      throw new AwsError(
        'InvalidParameterValue',
        'Tag values must be between 0 and 256 characters in length.',
      );
  }
}
