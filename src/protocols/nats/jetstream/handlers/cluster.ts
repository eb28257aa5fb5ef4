import type { ApiAnswer, ApiHandler } from '../api.ts';
import { apiError, type ApiErrorName } from '../errors.ts';

/** Refuses verbs that only a cluster has: leaders and peers. */
export function clusterRequired(): ApiAnswer {
  throw apiError('clusterRequired');
}

/** The handler of a verb that is not built yet. */
export function notSupported(error: ApiErrorName): ApiHandler {
  return () => {
    throw apiError(error, 'not supported by this server');
  };
}
