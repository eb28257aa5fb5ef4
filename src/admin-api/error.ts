/** The body of all refusals: a code for programs and a sentence for people. */
export interface ErrorJson {
  readonly error: { readonly code: string; readonly message: string };
}
