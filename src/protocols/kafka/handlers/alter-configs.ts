import { ErrorCode, type IncrementalAlterConfigsRequest } from '../../../wire/kafka/index.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler } from '../handler.ts';
import { inTurns } from '../in-turns.ts';
import type { KafkaHost } from '../kafka-host.ts';
import { ResourceType } from '../resource-type.ts';
import { configTextsOf, isListConfig, withConfigs, type ConfigTexts } from '../topic-configs.ts';

type Change = IncrementalAlterConfigsRequest['resources'][number]['configs'][number];

/** `AlterConfigOp.OpType` */
const Operation = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

interface Result extends Resource {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

export const alterConfigs: Handler<'AlterConfigs'> = async (request, { host, session }) => {
  const responses = await inTurns(request.resources, session, (resource) => {
    const texts = (): ConfigTexts =>
      Object.fromEntries(
        resource.configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])),
      );
    return alter(resource, texts, request.validateOnly, host);
  });
  return { responses };
};

export const incrementalAlterConfigs: Handler<'IncrementalAlterConfigs'> = async (
  request,
  { host, session },
) => {
  const responses = await inTurns(request.resources, session, (resource) => {
    const texts = (before: ConfigTexts): ConfigTexts => changed(before, resource.configs);
    return alter(resource, texts, request.validateOnly, host);
  });
  return { responses };
};

async function alter(
  { resourceType, resourceName }: Resource,
  texts: (before: ConfigTexts) => ConfigTexts,
  validateOnly: boolean,
  host: KafkaHost,
): Promise<Result> {
  try {
    if (resourceType === ResourceType.group) {
      const { coordinator } = host;
      const before = Object.fromEntries(coordinator.configs.given(resourceName));
      const after = texts(before);
      const cleared = Object.keys(before).filter((name) => after[name] === undefined);
      const values = [...Object.entries(after), ...cleared.map((name) => [name, null] as const)];
      if (validateOnly) coordinator.configs.check(resourceName, values);
      else await coordinator.configure(resourceName, values);
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName };
    }
    if (resourceType !== ResourceType.topic)
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        'Only topics and groups are configured by Kafka clients; the broker is configured where it is started.',
      );
    const topic = host.topicNames.topic(resourceName);
    if (!topic)
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic '${resourceName}'.`);
    const config = withConfigs(topic.config, texts(configTextsOf(topic)));
    if (!validateOnly) await topic.update(config);
    return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName };
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: errorMessageOf(error), resourceType, resourceName };
  }
}

function changed(before: ConfigTexts, changes: readonly Change[]): ConfigTexts {
  const texts: { [name: string]: string } = { ...before };
  for (const { name, configOperation, value } of changes) {
    if (configOperation === Operation.delete) delete texts[name];
    else if (value === null)
      throw new KafkaError(ErrorCode.INVALID_CONFIG, `Configuration ${name} needs a value.`);
    else if (configOperation === Operation.set) texts[name] = value;
    else texts[name] = changedList(name, configOperation, texts[name] ?? '', value);
  }
  return texts;
}

function changedList(name: string, operation: number, before: string, value: string): string {
  if (!isListConfig(name) || (operation !== Operation.append && operation !== Operation.subtract))
    throw new KafkaError(ErrorCode.INVALID_CONFIG, `Configuration ${name} cannot be changed so.`);
  const parts = new Set(before === '' ? [] : before.split(','));
  for (const part of value.split(',')) {
    if (operation === Operation.append) parts.add(part);
    else parts.delete(part);
  }
  return [...parts].join(',');
}
