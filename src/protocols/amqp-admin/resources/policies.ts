import {
  argumentsOfDefinition,
  policyTargets,
  problemOfDefinition,
  queueArguments,
  namePattern,
  type Policy,
  type PolicyDefinition,
  type PolicyTarget,
  type VirtualHost,
} from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { checkPolicymaker } from '../caller.ts';
import { listed, shown } from '../collection.ts';
import { badRequest, objectNotFound } from '../errors.ts';
import { declared, gone, type ApiReply } from '../reply.ts';
import {
  checkPresent,
  checkShort,
  objectOf,
  textOf,
  wholeNumberOf,
  type ApiRequest,
  type JsonObject,
} from '../request.ts';
import { hostForNew, hostOf, hostsOf } from '../virtual-hosts.ts';

const policiesMax = 1_000;

export function list(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkPolicymaker(request.caller);
  return listed(request, {
    entries: policiesIn(hostsOf(request, api), api),
    nameOf: ({ name }) => name,
    describe: (policy) => policy,
  });
}

export function show(request: ApiRequest, api: Api): ApiReply {
  checkPolicymaker(request.caller);
  return shown(request.query, policyJson(policyOf(request, api)));
}

/** Makes or changes the policy in the path, and the queues that it holds for: 201 if it is new. */
export async function put(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkPolicymaker(request.caller);
  const host = hostForNew(request, api);
  return declared(await putPolicy(host, request.params['policy'] ?? '', await request.body(), api));
}

/** Makes or changes a policy; resolves to whether it is new, when its queues have changed. */
export async function putPolicy(
  host: VirtualHost,
  name: string,
  body: JsonObject,
  { amqp: { virtualHosts } }: Api,
): Promise<boolean> {
  const { policies } = virtualHosts;
  checkPresent(body, ['pattern', 'definition']);
  checkShort('name', name);
  const pattern = textOf(body, 'pattern') ?? '';
  const parsed = namePattern(pattern);
  if (typeof parsed === 'string') throw badRequest(`Validation failed\n\npattern: ${parsed}\n`);
  const isNew = policies.get(host.name, name) === undefined;
  if (isNew && policies.in(host.name).length >= policiesMax)
    throw badRequest(`a virtual host has at most ${policiesMax} policies`);
  await policies.set({
    vhost: host.name,
    name,
    pattern,
    applyTo: targetOf(textOf(body, 'apply-to') ?? 'all'),
    priority: wholeNumberOf(body, 'priority') ?? 0,
    definition: definitionOf(objectOf(body, 'definition')),
  });
  await host.queues.applyPolicies();
  return isNew;
}

/**
 * Deletes the policy in the path; the queues under it are what they were declared as, or under the next one.
 */
export async function remove(request: ApiRequest, api: Api): Promise<ApiReply> {
  checkPolicymaker(request.caller);
  const { policies } = api.amqp.virtualHosts;
  await policies.delete(policyOf(request, api));
  await hostOf(request, api).queues.applyPolicies();
  return gone;
}

/** The policies of virtual hosts as JSON, by name. */
export function policiesIn(hosts: readonly VirtualHost[], { amqp }: Api): PolicyJson[] {
  return hosts.flatMap(({ name }) =>
    amqp.virtualHosts.policies
      .in(name)
      .map(policyJson)
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  );
}

function policyOf(request: ApiRequest, api: Api): Policy {
  const host = hostOf(request, api);
  const policy = api.amqp.virtualHosts.policies.get(host.name, request.params['policy'] ?? '');
  if (!policy) throw objectNotFound();
  return policy;
}

interface PolicyJson {
  readonly vhost: string;
  readonly name: string;
  readonly pattern: string;
  readonly 'apply-to': string;
  readonly definition: PolicyDefinition;
  readonly priority: number;
}

function policyJson({ vhost, name, pattern, applyTo, definition, priority }: Policy): PolicyJson {
  return { vhost, name, pattern, 'apply-to': applyTo, definition, priority };
}

function targetOf(text: string): PolicyTarget {
  const target = policyTargets.find((target) => target === text);
  if (target !== undefined) return target;
  throw badRequest(`Validation failed\n\napply-to: ${text} is none of ${policyTargets.join(', ')}\n`);
}

/** Throws bad_request for a definition that no queue could have. */
function definitionOf(definition: JsonObject): PolicyDefinition {
  const problem = problemOfDefinition(definition);
  if (problem !== undefined) throw badRequest(problem);
  const known = definition as PolicyDefinition;
  queueArguments('a policy', argumentsOfDefinition(known));
  return known;
}
