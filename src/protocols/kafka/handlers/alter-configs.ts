import { ErrorCode, type IncrementalAlterConfigsRequest } from '../../../wire/kafka/index.ts';
import { brokerConfigs } from '../broker-configs.ts';
import { ConfigType, partsOf } from '../config-values.ts';
import { KafkaError, errorCodeOf, errorMessageOf } from '../errors.ts';
import type { Handler, RequestContext } from '../handler.ts';
import { inTurns } from '../../connections/index.ts';
import type { KafkaHost } from '../kafka-host.ts';
import { ResourceType } from '../resource-type.ts';
import { checkConfigRights, Operation as AclOperation } from '../security/index.ts';
import { configTextsOf, topicConfigType, withConfigs, type ConfigTexts } from '../topic-configs.ts';
import { checkTopicName } from '../topic-names.ts';
import { checkBrokerName } from './describe-configs.ts';

type Change = IncrementalAlterConfigsRequest['resources'][number]['configs'][number];

/** `AlterConfigOp.OpType` */
const Operation = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

interface Result {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

/** Computes the new configs of a resource from its current ones. */
type Alteration = (before: ConfigTexts) => ConfigTexts;

export const alterConfigs: Handler<'AlterConfigs'> = async ({ resources, validateOnly }, context) => ({
  responses: await alterAll(resources, validateOnly, context, ({ configs }) => {
    for (const { name, value } of configs) requireValue(name, value);
    return () => Object.fromEntries(configs.map(({ name, value }) => [name, value!]));
  }),
});

export const incrementalAlterConfigs: Handler<'IncrementalAlterConfigs'> = async (
  { resources, validateOnly },
  context,
) => ({
  responses: await alterAll(
    resources,
    validateOnly,
    context,
    ({ configs }) =>
      (before) =>
        changed(before, configs),
  ),
});

async function alterAll<R extends Resource>(
  resources: readonly R[],
  validateOnly: boolean,
  { host, session, rights }: RequestContext,
  alterationOf: (resource: R) => Alteration,
): Promise<Result[]> {
  const seen = new Map<string, number>();
  const keyOf = ({ resourceType, resourceName }: Resource): string => `${resourceType}/${resourceName}`;
  for (const resource of resources) seen.set(keyOf(resource), (seen.get(keyOf(resource)) ?? 0) + 1);
  return inTurns(resources, session, async (resource): Promise<Result> => {
    const { resourceType, resourceName, configs } = resource;
    try {
      if (seen.get(keyOf(resource))! > 1) throw invalidRequest('Each resource must appear at most once.');
      if (new Set(configs.map(({ name }) => name)).size < configs.length)
        throw invalidRequest('Error due to duplicate config keys');
      checkConfigRights(rights, AclOperation.alterConfigs, resourceType, resourceName);
      await alter(resource, alterationOf(resource), validateOnly, host);
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName };
    } catch (error) {
      return {
        errorCode: errorCodeOf(error),
        errorMessage: errorMessageOf(error),
        resourceType,
        resourceName,
      };
    }
  });
}

/** With `validateOnly`, refuses everything that the real call would refuse, and changes nothing. */
function alter(
  { resourceType, resourceName }: Resource,
  alteration: Alteration,
  validateOnly: boolean,
  host: KafkaHost,
): Promise<void> | void {
  switch (resourceType) {
    case ResourceType.topic:
      return alterTopic(resourceName, alteration, validateOnly, host);
    case ResourceType.group:
      return alterGroup(resourceName, alteration, validateOnly, host);
    case ResourceType.broker:
      if (resourceName !== '') checkBrokerName(resourceName, host);
      return refuseBrokerConfigs(alteration, host);
    default:
      throw invalidRequest(`Unknown resource type ${resourceType}`);
  }
}

async function alterTopic(
  name: string,
  alteration: Alteration,
  validateOnly: boolean,
  { topicNames, offsetsTopic }: KafkaHost,
): Promise<void> {
  if (name === '') throw invalidRequest('Default topic resources are not allowed.');
  const topic = topicNames.topic(name);
  if (!topic) {
    if (offsetsTopic.is(name))
      throw invalidRequest('The offsets topic is internal: its configs stay as they are.');
    checkTopicName(name);
    throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`);
  }
  const config = topic.checkUpdate(withConfigs(topic.config, alteration(configTextsOf(topic))));
  if (!validateOnly) await topic.update(config);
}

async function alterGroup(
  groupId: string,
  alteration: Alteration,
  validateOnly: boolean,
  { coordinator }: KafkaHost,
): Promise<void> {
  const before = Object.fromEntries(coordinator.configs.given(groupId));
  const after = alteration(before);
  const cleared = Object.keys(before).filter((name) => after[name] === undefined);
  const values = [...Object.entries(after), ...cleared.map((name) => [name, null] as const)];
  if (validateOnly) coordinator.configs.check(groupId, values);
  else await coordinator.configure(groupId, values);
}

/**
 * Broker configs are set where the broker is started. A request that sets a config to its current value, or
 * resets one that was never set, is not a change.
 */
function refuseBrokerConfigs(alteration: Alteration, host: KafkaHost): void {
  const known = new Map(brokerConfigs(host).map(({ name, value }) => [name, value]));
  const changes = Object.entries(alteration({})).filter(([name, value]) => known.get(name) !== value);
  if (changes.length === 0) return;
  const names = changes.map(([name]) => name).join(', ');
  throw invalidRequest(
    `Cannot update these configs dynamically: [${names}]. The broker is configured where it is started.`,
  );
}

function changed(before: ConfigTexts, changes: readonly Change[]): ConfigTexts {
  const texts: { [name: string]: string } = { ...before };
  for (const { name, configOperation, value } of changes) {
    if (configOperation === Operation.delete) {
      delete texts[name];
      continue;
    }
    requireValue(name, value);
    if (configOperation === Operation.set) texts[name] = value!;
    else texts[name] = changedList(name, configOperation, texts[name], value!);
  }
  return texts;
}

/** A list that was never set starts with its default. */
function changedList(name: string, operation: number, before: string | undefined, value: string): string {
  const isAppend = operation === Operation.append;
  if (!isAppend && operation !== Operation.subtract)
    throw invalidRequest(`Unknown operation ${operation} for configuration ${name}`);
  if (topicConfigType(name) !== ConfigType.list)
    throw new KafkaError(
      ErrorCode.INVALID_CONFIG,
      `Can't ${isAppend ? 'APPEND' : 'SUBTRACT'} to key ${name} because its type is not LIST.`,
    );
  const parts = new Set(partsOf(before ?? (name === 'cleanup.policy' ? 'delete' : '')));
  for (const part of partsOf(value)) {
    if (isAppend) parts.add(part);
    else parts.delete(part);
  }
  return [...parts].join(',');
}

function requireValue(name: string, value: string | null): void {
  if (value === null) throw invalidRequest(`Null value not supported for : ${name}`);
}

function invalidRequest(problem: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, problem);
}
