import type { SqsAction, SqsInput, SqsOutput } from '../../../wire/aws/index.ts';
import type { Caller } from '../caller.ts';
import type { Sqs } from '../sqs.ts';

/** Does an operation. It does not know how the request came, as JSON or as a form. Throws an AwsError. */
export type Handler<A extends SqsAction> = (
  sqs: Sqs,
  caller: Caller,
  input: SqsInput<A>,
) => SqsOutput<A> | Promise<SqsOutput<A>>;

/** A handler for each operation: a missing one is a type error. */
export type Handlers = { readonly [A in SqsAction]: Handler<A> };

/** The output of an operation that has none. */
export const nothing: { readonly [name: string]: never } = {};
