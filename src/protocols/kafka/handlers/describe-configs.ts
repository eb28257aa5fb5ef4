import { ErrorCode, type DescribeConfigsRequest, type ResponseDraft } from '../../../wire/kafka/index.ts';
import { brokerConfigs } from '../broker-configs.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../in-turns.ts';
import { ResourceType } from '../resource-type.ts';
import { shownConfigs, type ShownConfig } from '../topic-configs.ts';

type ResultDraft = ResponseDraft<'DescribeConfigs'>['results'][number];
type Resource = DescribeConfigsRequest['resources'][number];
type ConfigDraft = ResultDraft['configs'][number];

/** Who has said it (`ConfigSource`). */
const ConfigSource = { topic: 1, staticBroker: 4, default: 5, group: 8 } as const;

export const describeConfigs: Handler<'DescribeConfigs'> = async (request, context) => ({
  results: await inTurns(distinct(request.resources), context.session, (resource) =>
    describe(resource, request, context),
  ),
});

/** A resource that is named twice is described once: the answer is much longer than the name. */
function distinct(resources: readonly Resource[]): Iterable<Resource> {
  const found = new Map<string, Resource>();
  for (const resource of resources) found.set(`${resource.resourceType}/${resource.resourceName}`, resource);
  return found.values();
}

function describe(
  resource: Resource,
  { includeSynonyms }: DescribeConfigsRequest,
  context: RequestContext,
): ResultDraft {
  const { resourceType, resourceName, configurationKeys } = resource;
  const wanted = configurationKeys && new Set(configurationKeys);
  try {
    const configs = configsOf(resourceType, resourceName, context)
      .filter(({ name }) => wanted === null || wanted.has(name))
      .map((config): ConfigDraft => {
        const described = describedConfig(config, resourceType === ResourceType.broker);
        if (resourceType === ResourceType.group && described.configSource === ConfigSource.topic)
          described.configSource = ConfigSource.group;
        const { name, value, configSource: source } = described;
        return {
          ...described,
          synonyms: includeSynonyms ? [{ name, value, source: source ?? ConfigSource.default }] : [],
          configType: config.type,
          documentation: null,
        };
      });
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

function configsOf(type: number, name: string, { host }: RequestContext): readonly ShownConfig[] {
  if (type === ResourceType.topic) {
    const topic = host.topicNames.topic(name);
    if (topic) return shownConfigs(topic);
    throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${name}'.`);
  }
  if (type === ResourceType.broker) {
    if (name === '' || name === String(host.nodeId)) return brokerConfigs(host);
    throw new KafkaError(ErrorCode.INVALID_REQUEST, `The only broker is ${host.nodeId}, not '${name}'.`);
  }
  if (type === ResourceType.group) return host.coordinator.configs.shown(name);
  throw new KafkaError(ErrorCode.INVALID_REQUEST, `Resources of type ${type} have no configuration here.`);
}

/** A setting as CreateTopics and DescribeConfigs tell it. */
export function describedConfig(
  config: ShownConfig,
  isOfBroker = false,
): { name: string; value: string; readOnly: boolean; configSource: number; isSensitive: boolean } {
  const { name, value, default: preset } = config;
  const said = isOfBroker ? ConfigSource.staticBroker : ConfigSource.topic;
  return {
    name,
    value,
    readOnly: isOfBroker,
    configSource: value === preset ? ConfigSource.default : said,
    isSensitive: false,
  };
}
