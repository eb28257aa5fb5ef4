import type { SnsAction, SnsInput, SnsOutput } from '../../../wire/aws/index.ts';
import type { Caller } from '../../sqs/caller.ts';
import type { Sns } from '../sns.ts';

/** Does an operation. Throws an AwsError. */
export type Handler<A extends SnsAction> = (
  sns: Sns,
  caller: Caller,
  input: SnsInput<A>,
) => SnsOutput<A> | Promise<SnsOutput<A>>;

/** A handler for each operation: a missing one is a type error. */
export type Handlers = { readonly [A in SnsAction]: Handler<A> };

/** The output of an operation that has none. */
export const nothing: { readonly [name: string]: never } = {};
