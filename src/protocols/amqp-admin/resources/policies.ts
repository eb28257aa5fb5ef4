import {
  checkDefinition,
  namePattern,
  policyTargets,
  problemOfDefinition,
  type Policy,
  type PolicyDefinition,
  type PolicyKind,
  type PolicyTable,
  type PolicyTarget,
  type VirtualHost,
} from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { checkAdministrator, checkPolicymaker } from '../caller.ts';
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

type Handle = (request: ApiRequest, api: Api) => ApiReply | Promise<ApiReply>;

/** The requests about policies of one kind. */
interface PolicyResource {
  readonly list: Handle;
  readonly show: Handle;
  /** Makes or changes the policy in the path, and the queues that it holds for: 201 if it is new. */
  readonly put: Handle;
  /**
   * Deletes the policy in the path; the queues under it are what they were declared as, or under the next
   * one.
   */
  readonly remove: Handle;
}

function resourceOf(
  kind: PolicyKind,
  checkReader: (caller: ApiRequest['caller']) => void,
  checkMaker: (caller: ApiRequest['caller']) => void,
): PolicyResource {
  const policyOf = (request: ApiRequest, api: Api): Policy => {
    const policy = tableOf(kind, api).get(hostOf(request, api).name, request.params['policy'] ?? '');
    if (!policy) throw objectNotFound();
    return policy;
  };
  return {
    list(request, api) {
      checkReader(request.caller);
      return listed(request, {
        entries: policiesIn(hostsOf(request, api), api, kind),
        nameOf: ({ name }) => name,
        describe: (policy) => policy,
      });
    },
    show(request, api) {
      checkMaker(request.caller);
      return shown(request.query, policyJson(policyOf(request, api)));
    },
    async put(request, api) {
      checkMaker(request.caller);
      const host = hostForNew(request, api);
      return declared(await putPolicy(host, request.params['policy'] ?? '', await request.body(), api, kind));
    },
    async remove(request, api) {
      checkMaker(request.caller);
      await tableOf(kind, api).delete(policyOf(request, api));
      await applyIn(hostOf(request, api));
      return gone;
    },
  };
}

export const policies: PolicyResource = resourceOf('policy', checkPolicymaker, checkPolicymaker);
/** Who may see a virtual host may see what its operators bound; they alone change it. */
export const operatorPolicies: PolicyResource = resourceOf('operator-policy', () => {}, checkAdministrator);

/** Makes or changes a policy; resolves to whether it is new, when its queues have changed. */
export async function putPolicy(
  host: VirtualHost,
  name: string,
  body: JsonObject,
  api: Api,
  kind: PolicyKind = 'policy',
): Promise<boolean> {
  const table = tableOf(kind, api);
  checkPresent(body, ['pattern', 'definition']);
  checkShort('name', name);
  const pattern = textOf(body, 'pattern') ?? '';
  const parsed = namePattern(pattern);
  if (typeof parsed === 'string') throw badRequest(`Validation failed\n\npattern: ${parsed}\n`);
  const isNew = table.get(host.name, name) === undefined;
  if (isNew && table.in(host.name).length >= policiesMax)
    throw badRequest(`a virtual host has at most ${policiesMax} policies`);
  await table.set({
    vhost: host.name,
    name,
    pattern,
    applyTo: targetOf(textOf(body, 'apply-to') ?? 'all'),
    priority: wholeNumberOf(body, 'priority') ?? 0,
    definition: definitionOf(objectOf(body, 'definition'), kind),
  });
  await applyIn(host);
  return isNew;
}

function applyIn({ exchanges, queues }: VirtualHost): Promise<void> {
  exchanges.applyPolicies();
  return queues.applyPolicies();
}

/** The policies of virtual hosts as JSON, by name. */
export function policiesIn(
  hosts: readonly VirtualHost[],
  api: Api,
  kind: PolicyKind = 'policy',
): PolicyJson[] {
  const table = tableOf(kind, api);
  return hosts.flatMap(({ name }) =>
    table
      .in(name)
      .map(policyJson)
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  );
}

function tableOf(kind: PolicyKind, { amqp }: Api): PolicyTable {
  const { policies: tables } = amqp.virtualHosts;
  return kind === 'policy' ? tables.own : tables.operator;
}

export interface PolicyJson {
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
function definitionOf(definition: JsonObject, kind: PolicyKind): PolicyDefinition {
  const problem = problemOfDefinition(definition, kind);
  if (problem !== undefined) throw badRequest(problem);
  const known = definition as PolicyDefinition;
  checkDefinition(known);
  return known;
}
