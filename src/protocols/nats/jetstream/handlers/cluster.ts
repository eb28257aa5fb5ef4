import type { ApiAnswer, ApiHandler } from '../api.ts';
import { apiError, type ApiErrorName } from '../errors.ts';

/** Verbs that only a cluster has: leaders and peers. */
export function clusterRequired(): ApiAnswer {
  throw apiError('clusterRequired');
}

/** A verb that is not there yet. */
export function notSupported(error: ApiErrorName): ApiHandler {
  return () => {
    throw apiError(error, 'not supported by this server');
  };
}
