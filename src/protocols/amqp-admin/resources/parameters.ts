import type { VirtualHost } from '../../amqp/index.ts';
import type { Api } from '../api.ts';
import { checkPolicymaker } from '../caller.ts';
import { listed } from '../collection.ts';
import { badRequest } from '../errors.ts';
import type { ApiReply } from '../reply.ts';
import { objectOf, textOf, type ApiRequest, type JsonObject } from '../request.ts';
import { hostsOf } from '../virtual-hosts.ts';
import { policiesIn, putPolicy } from './policies.ts';

/*
 * Parameters are RabbitMQ's settings of plugins, by component. Of these there are only operator policies here:
 * in definitions they are parameters, too.
 */

const operatorPolicy = 'operator_policy';

export function list(request: ApiRequest, api: Api): ApiReply | Promise<ApiReply> {
  checkPolicymaker(request.caller);
  const { component = operatorPolicy } = request.params;
  return listed(request, {
    entries: component === operatorPolicy ? parametersIn(hostsOf(request, api), api) : [],
    nameOf: ({ name }) => name,
    describe: (parameter) => parameter,
  });
}

interface ParameterJson {
  readonly vhost: string;
  readonly component: string;
  readonly name: string;
  readonly value: object;
}

/** The parameters of virtual hosts as JSON. */
export function parametersIn(hosts: readonly VirtualHost[], api: Api): ParameterJson[] {
  return policiesIn(hosts, api, 'operator-policy').map(({ vhost, name, ...value }) => ({
    value,
    vhost,
    component: operatorPolicy,
    name,
  }));
}

/** Takes a parameter of definitions over; those of other components have no meaning here. */
export async function importParameter(host: VirtualHost, parameter: JsonObject, api: Api): Promise<void> {
  if (textOf(parameter, 'component') !== operatorPolicy) return;
  const name = textOf(parameter, 'name');
  if (name === undefined || name === '') throw badRequest('parameter without a name');
  await putPolicy(host, name, objectOf(parameter, 'value'), api, 'operator-policy');
}
