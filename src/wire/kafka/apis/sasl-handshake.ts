import { defineApi, type Api } from '../api.ts';

const request = {
  mechanism: { type: 'string' },
} as const;

const response = {
  errorCode: { type: 'int16' },
  mechanisms: { type: '[]string' },
} as const;

/**
 * Chooses the mechanism of the login.
 *
 * After version 0 the tokens are frames without a header; after 1 they are SaslAuthenticate requests.
 *
 * ```
 * request => mechanism
 * response => errorCode [mechanisms]
 * ```
 */
export const saslHandshakeApi: Api<typeof request, typeof response> = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  request,
  response,
});
