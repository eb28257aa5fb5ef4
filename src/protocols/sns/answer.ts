import type { Members, SnsAction, Structure } from '../../wire/aws/index.ts';
import type { Caller } from '../sqs/caller.ts';
import { authorize } from './authorizer.ts';
import { refusalOf } from './errors.ts';
import { handlers } from './operations/index.ts';
import type { Sns } from './sns.ts';

/** Does an operation of SNS. Rejects with an AwsError, or with what nobody has foreseen. */
export async function answer(
  sns: Sns,
  caller: Caller,
  action: SnsAction,
  input: Structure<Members>,
): Promise<Structure<Members>> {
  const handler = handlers[action] as AnyHandler;
  authorize(sns, caller, action, input);
  try {
    return await handler(sns, caller, input);
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

/** A handler whose operation decides the types of input and output. */
type AnyHandler = (
  sns: Sns,
  caller: Caller,
  input: Structure<Members>,
) => Structure<Members> | Promise<Structure<Members>>;
