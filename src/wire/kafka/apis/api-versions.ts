import { defineApi, type Api } from '../api.ts';
import type { Message } from '../schema.ts';

const request = {
  clientSoftwareName: { type: 'string', versions: '3+' },
  clientSoftwareVersion: { type: 'string', versions: '3+' },
  clusterId: { type: 'string', versions: '5+', nullable: true, default: null },
  nodeId: { type: 'int32', versions: '5+', default: -1 },
} as const;

const response = {
  errorCode: { type: 'int16' },
  apiKeys: {
    type: '[]struct',
    fields: {
      apiKey: { type: 'int16' },
      minVersion: { type: 'int16' },
      maxVersion: { type: 'int16' },
    },
  },
  throttleTimeMs: { type: 'int32', versions: '1+' },
  supportedFeatures: {
    type: '[]struct',
    versions: '3+',
    tag: 0,
    fields: {
      name: { type: 'string' },
      minVersion: { type: 'int16' },
      maxVersion: { type: 'int16' },
    },
  },
  finalizedFeaturesEpoch: { type: 'int64', versions: '3+', default: -1, tag: 1 },
  finalizedFeatures: {
    type: '[]struct',
    versions: '3+',
    tag: 2,
    fields: {
      name: { type: 'string' },
      maxVersionLevel: { type: 'int16' },
      minVersionLevel: { type: 'int16' },
    },
  },
  zkMigrationReady: { type: 'bool', versions: '3+', tag: 3 },
} as const;

export type ApiVersionsResponse = Message<typeof response>;

/**
 * The APIs and versions of the broker; the first request of nearly every client.
 *
 * A version that the broker does not know is answered with the body of version 0: the error
 * UNSUPPORTED_VERSION and the whole list (KIP-511), so that the client can ask again. Version 3 adds the
 * client's name and the cluster's features. Version 4 lets a feature start at version 0. Version 5 adds the
 * cluster and node that the client expects (KIP-1242).
 *
 * ```
 * request => clientSoftwareName{3+} clientSoftwareVersion{3+} clusterId?{5+} nodeId{5+}
 * response => errorCode [apiKeys] throttleTimeMs{1+} #0:[supportedFeatures]{3+}
 *             #1:finalizedFeaturesEpoch{3+} #2:[finalizedFeatures]{3+} #3:zkMigrationReady{3+}
 *   apiKeys => apiKey minVersion maxVersion
 *   supportedFeatures => name minVersion maxVersion
 *   finalizedFeatures => name maxVersionLevel minVersionLevel
 * ```
 */
export const apiVersionsApi: Api<typeof request, typeof response> = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: '0-5',
  flexible: '3+',
  request,
  response,
});
