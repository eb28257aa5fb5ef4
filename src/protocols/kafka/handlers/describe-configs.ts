import { ErrorCode, type DescribeConfigsRequest, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { brokerConfigs } from '../broker-configs.ts';
import type { ShownConfig } from '../config-values.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import type { KafkaHost } from '../kafka-host.ts';
import { ResourceType } from '../resource-type.ts';
import { checkConfigRights, Operation } from '../security/index.ts';
import { shownConfigs } from '../topic-configs.ts';
import { checkTopicName } from '../topic-names.ts';

type ResultDraft = ResponseDraft<'DescribeConfigs'>['results'][number];
type Resource = DescribeConfigsRequest['resources'][number];
type ConfigDraft = ResultDraft['configs'][number];

export const describeConfigs: Handler<'DescribeConfigs'> = async (request, context) => ({
  results: await inTurns(distinct(request.resources), context.session, (resource) =>
    describe(resource, request, context),
  ),
});

/** A resource that is named twice is described once, because the answer is much longer than the name. */
function distinct(resources: readonly Resource[]): Iterable<Resource> {
  const found = new Map<string, Resource>();
  for (const resource of resources) found.set(`${resource.resourceType}/${resource.resourceName}`, resource);
  return found.values();
}

function describe(
  resource: Resource,
  { includeSynonyms }: DescribeConfigsRequest,
  { host, rights }: RequestContext,
): ResultDraft {
  const { resourceType, resourceName, configurationKeys } = resource;
  // An empty list also stands for all configs.
  const wanted = configurationKeys?.length ? new Set(configurationKeys) : undefined;
  try {
    checkConfigRights(rights, Operation.describeConfigs, resourceType, resourceName);
    const configs = configsOf(resourceType, resourceName, host)
      .filter(({ name }) => wanted === undefined || wanted.has(name))
      .map((config): ConfigDraft => ({
        ...describedConfig(config),
        synonyms: includeSynonyms ? config.synonyms : [],
        configType: config.type,
        documentation: null,
      }));
    return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs };
  } catch (error) {
    return {
      errorCode: errorCodeOf(error),
      errorMessage: errorMessageOf(error),
      resourceType,
      resourceName,
      configs: [],
    };
  }
}

function configsOf(type: number, name: string, host: KafkaHost): readonly ShownConfig[] {
  if (type === ResourceType.topic) {
    const topic = host.topicNames.topic(name);
    if (topic) return shownConfigs(topic);
    if (host.offsetsTopic.is(name)) return shownConfigs(host.offsetsTopic);
    checkTopicName(name);
    throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${name}'.`);
  }
  if (type === ResourceType.broker) {
    // The empty name asks for the dynamic defaults of all brokers. There are none here.
    if (name === '') return [];
    checkBrokerName(name, host);
    return brokerConfigs(host);
  }
  if (type === ResourceType.group) {
    if (name === '') throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Group name must not be empty');
    return host.coordinator.configs.shown(name);
  }
  throw new KafkaError(ErrorCode.INVALID_REQUEST, `Resources of type ${type} have no configuration here.`);
}

/** Throws a KafkaError INVALID_REQUEST. */
export function checkBrokerName(name: string, { nodeId }: KafkaHost): void {
  if (!/^[-+]?\d{1,10}$/.test(name))
    throw new KafkaError(ErrorCode.INVALID_REQUEST, `Broker id must be an integer, but it is: ${name}`);
  if (Number(name) === nodeId) return;
  throw new KafkaError(
    ErrorCode.INVALID_REQUEST,
    `Unexpected broker id, expected ${nodeId}, but received ${name}`,
  );
}

/** A config in the form of CreateTopics and DescribeConfigs. */
export function describedConfig({ name, value, readOnly, source }: ShownConfig): {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
} {
  return { name, value, readOnly, configSource: source, isSensitive: false };
}
