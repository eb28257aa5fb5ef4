import type { ApiVersionsResponse } from '../../../wire/kafka/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import type { Handler } from '../handler.ts';
import type { KafkaHost } from '../kafka-host.ts';

/** Pattern for the name and version of the client's software, as in Kafka (KIP-511). */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
const softwareLengthMax = 256;

/**
 * Feature levels of Kafka that are supported here: the group protocols of KIP-848 and KIP-932, and
 * transactions as of KIP-890.
 */
const features: readonly (readonly [name: string, level: number, api: string])[] = [
  ['group.version', 1, 'ConsumerGroupHeartbeat'],
  ['share.version', 1, 'ShareGroupHeartbeat'],
  ['transaction.version', 2, 'EndTxn'],
];

export const apiVersions: Handler<'ApiVersions'> = (request, context) => {
  const { host, session, version } = context;
  const { clientSoftwareName: name, clientSoftwareVersion } = request;
  const apiKeys = advertisedApiKeys(host);
  if (version >= 3) {
    if (!isSoftwareText(name) || !isSoftwareText(clientSoftwareVersion))
      return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys };
    session.clientSoftware = name;
    session.clientVersion = clientSoftwareVersion;
  }
  const known = features.filter(([, , api]) => host.advertisedApis.some((one) => one.name === api));
  return {
    errorCode: ErrorCode.NONE,
    apiKeys,
    supportedFeatures: known.map(([feature, level]) => ({
      name: feature,
      minVersion: version >= 4 ? 0 : 1,
      maxVersion: level,
    })),
    finalizedFeaturesEpoch: 0,
    finalizedFeatures: known.map(([feature, level]) => ({
      name: feature,
      maxVersionLevel: level,
      minVersionLevel: level,
    })),
  };
};

function isSoftwareText(text: string): boolean {
  return text === '' || (text.length <= softwareLengthMax && softwarePattern.test(text));
}

export function advertisedApiKeys({ advertisedApis }: KafkaHost): ApiVersionsResponse['apiKeys'] {
  return advertisedApis.map(({ key, advertised }) => ({
    apiKey: key,
    minVersion: advertised.min,
    maxVersion: advertised.max,
  }));
}
