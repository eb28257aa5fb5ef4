import { AwsError, type SqsOutput } from '../../wire/aws/index.ts';
import { refusalOf } from './errors.ts';
import { sqsLimits } from './limits.ts';

/** An entry of a batch that failed. */
export type FailedEntry = NonNullable<SqsOutput<'SendMessageBatch'>['Failed']>[number];

/** Throws an AwsError for a batch that is refused as a whole. */
export function checkBatch(entries: readonly { readonly Id: string }[]): void {
  const { batchEntriesMax } = sqsLimits;
  if (entries.length > batchEntriesMax)
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${batchEntriesMax}. You have sent ${entries.length}.`,
    );
  const ids = new Set<string>();
  for (const { Id: id } of entries) {
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(id)) throw new AwsError('InvalidBatchEntryId');
    if (ids.has(id)) throw new AwsError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
    ids.add(id);
  }
}

/** The failed entry of an error. Throws an error that nobody has foreseen. */
export function failedEntry(id: string, error: unknown): FailedEntry {
  const refusal = refusalOf(error);
  if (!refusal) throw error;
  return {
    Id: id,
    SenderFault: refusal.fault === 'Sender',
    Code: refusal.code(),
    Message: refusal.message,
  };
}

/** Does something with each entry in one synchronous run; those that throw failed. */
export function eachEntry<E extends { readonly Id: string }>(
  entries: readonly E[],
  act: (entry: E) => void,
): { readonly Successful: readonly { readonly Id: string }[]; readonly Failed: readonly FailedEntry[] } {
  const Successful: { readonly Id: string }[] = [];
  const Failed: FailedEntry[] = [];
  for (const entry of entries) {
    try {
      act(entry);
      Successful.push({ Id: entry.Id });
    } catch (error) {
      Failed.push(failedEntry(entry.Id, error));
    }
  }
  return { Successful, Failed };
}
