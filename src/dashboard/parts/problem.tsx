import type { VNode } from 'preact';
import type { ApiError } from '../api.ts';

/** Why there is nothing to see. */
export function Problem({ error }: { readonly error: ApiError | undefined }): VNode | null {
  if (!error) return null;
  return (
    <p class="error" role="alert">
      {error.message}
    </p>
  );
}
