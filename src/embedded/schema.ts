import type { ValueIssue } from './errors.ts';

/**
 * A schema of any library that follows Standard Schema version 1 (standardschema.dev): zod, valibot, arktype
 * and others. Only the members used here.
 */
export interface StandardSchema<In = unknown, Out = In> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Out> | Promise<SchemaResult<Out>>;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}

export type SchemaResult<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of the values that a schema takes, which are published. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['input'];
/** The type of the values that a schema returns, which are consumed. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output'];

/** The issues with plain paths. */
export function plainIssues(issues: readonly SchemaIssue[]): ValueIssue[] {
  return issues.map(({ message, path }) => ({
    message,
    path: (path ?? []).map((step) => (typeof step === 'object' ? step.key : step)),
  }));
}

/** `items.0.price: Expected number`, joined by semicolons. */
export function describeIssues(issues: readonly ValueIssue[]): string {
  return issues
    .map(({ message, path }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ');
}
