import { AwsError } from '../../../wire/aws/index.ts';
import { fullAccess } from '../../users/index.ts';
import type { Caller } from '../caller.ts';
import { invalidParameter } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import { queueUrl } from '../queue-address.ts';
import type { Queue } from '../queue.ts';
import type { Handler } from './handler.ts';

export const listQueues: Handler<'ListQueues'> = async (
  { queues },
  caller,
  { QueueNamePrefix: prefix = '', NextToken: token, MaxResults: max },
) => {
  const all = await queues.names((queue) => queue.name.startsWith(prefix) && maySee(caller, queue));
  const { names, next } = pageOf(all, token, max);
  return { QueueUrls: names.map((name) => queueUrl(caller, name)), NextToken: next };
};

/** Whether a list shows the caller a queue. */
export function maySee({ access }: Caller, { topic }: Queue): boolean {
  return access === fullAccess || access.maySee(topic.name);
}

/**
 * One page of names that are in order. The token is the last name of the page before. Throws an AwsError for
 * a token or a number that does not fit.
 */
export function pageOf(
  all: readonly string[],
  token: string | undefined,
  max: number | undefined,
): { readonly names: readonly string[]; readonly next: string | undefined } {
  const { listedMax } = sqsLimits;
  if (max !== undefined && (max < 1 || max > listedMax))
    throw invalidParameter('MaxResults', max, `Must be between 1 and ${listedMax}, if provided.`);
  const after = token === undefined ? undefined : nameOfToken(token);
  const from = after === undefined ? 0 : all.findIndex((name) => name > after);
  const names = from < 0 ? [] : all.slice(from, from + (max ?? listedMax));
  const hasMore = from >= 0 && from + names.length < all.length;
  // Without a number there are no pages: the first thousand are all.
  const next = max !== undefined && hasMore ? names.at(-1) : undefined;
  return { names, next: next && Buffer.from(next).toString('base64') };
}

function nameOfToken(token: string): string {
  const bytes = Buffer.from(token, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== token)
    throw new AwsError('InvalidParameterValue', `Invalid or expired next token.`);
  return bytes.toString('utf8');
}
