import { methods, type Arguments, type FieldValue } from '../../../wire/amqp/index.ts';
import type { Channel } from '../channel.ts';
import { AmqpError, inequivalent } from '../errors.ts';
import {
  exchangeTypeOf,
  sameValue,
  type Destination,
  type Exchange,
  type ExchangeDefinition,
} from '../exchanges/index.ts';
import { checkPermission } from '../permissions.ts';
import { checkReserved } from '../queues.ts';
import { on, type Handling } from './handler.ts';

type Declare = Arguments<typeof methods.exchange.declare>;
type Bind = Arguments<typeof methods.exchange.bind>;

/** The class exchange. */
export const exchangeHandlers: readonly Handling[] = [
  on(methods.exchange.declare, (channel, values) => {
    const answer = (): void => {
      if (!values.noWait) channel.send(methods.exchange.declareOk, {});
    };
    const declared = declare(channel, values);
    return declared ? declared.then(answer) : answer();
  }),

  on(methods.exchange.delete, async (channel, { exchange: name, ifUnused, noWait }) => {
    const { session } = channel;
    const { exchanges } = session.host;
    checkNotDefault(name);
    checkPermission(session, 'configure', 'exchange', name);
    const exchange = exchanges.get(name);
    if (exchange?.isPredeclared)
      throw new AmqpError('ACCESS_REFUSED', `deletion of system ${exchange.shown} not allowed`);
    if (exchange && ifUnused && exchange.bindings.size > 0)
      throw new AmqpError('PRECONDITION_FAILED', `${exchange.shown} in use`);
    if (exchange) await exchanges.delete(exchange);
    if (!noWait) channel.send(methods.exchange.deleteOk, {});
  }),

  on(methods.exchange.bind, async (channel, values) => {
    const { source, destination } = endsOf(channel, values);
    await channel.session.host.exchanges.bind(source, destination, values.routingKey, values.arguments);
    if (!values.noWait) channel.send(methods.exchange.bindOk, {});
  }),

  on(methods.exchange.unbind, async (channel, values) => {
    const { exchanges } = channel.session.host;
    const { source, destination } = endsOf(channel, values);
    const binding = exchanges.binding(source, destination, values.routingKey, values.arguments);
    if (binding) await exchanges.unbind(binding);
    if (!values.noWait) channel.send(methods.exchange.unbindOk, {});
  }),
];

function declare({ session }: Channel, values: Declare): Promise<void> | undefined {
  const { exchanges } = session.host;
  const { type: typeName, passive, durable, autoDelete, internal, arguments: table } = values;
  const name = values.exchange.replaceAll(/[\r\n]/g, '');
  checkNotDefault(name);
  if (passive) {
    exchanges.find(name);
    return undefined;
  }
  const type = exchangeTypeOf(typeName);
  checkPermission(session, 'configure', 'exchange', name);
  const known = exchanges.get(name);
  if (known) {
    checkEquivalent(known, values);
    return undefined;
  }
  checkReserved('exchange', name);
  return exchanges.declare({
    name,
    type,
    durable,
    autoDelete,
    internal,
    arguments: table,
  });
}

/** Throws PRECONDITION_FAILED if the exchange is not what is declared. */
export function checkEquivalent(
  { shown, definition }: Exchange,
  declared: Omit<ExchangeDefinition, 'name' | 'type'> & { readonly type: string },
): void {
  const check = (what: string, received: FieldValue | undefined, current: FieldValue | undefined): void => {
    if (received !== current) throw inequivalent(shown, what, received, current);
  };
  check('type', declared.type, definition.type);
  check('durable', declared.durable, definition.durable);
  check('auto_delete', declared.autoDelete, definition.autoDelete);
  check('internal', declared.internal, definition.internal);
  const alternate = 'alternate-exchange';
  const [received, current] = [declared.arguments.get(alternate), definition.arguments.get(alternate)];
  if (received === undefined || current === undefined || !sameValue(received, current))
    check(alternate, received, current);
}

/** The two ends of a binding between exchanges. Throws if the client may not bind them. */
function endsOf(
  { session }: Channel,
  { source, destination }: Bind,
): { readonly source: Exchange; readonly destination: Destination } {
  const { exchanges } = session.host;
  checkNotDefault(source);
  checkNotDefault(destination);
  checkPermission(session, 'write', 'exchange', destination);
  checkPermission(session, 'read', 'exchange', source);
  return {
    source: exchanges.find(source),
    destination: { kind: 'exchange', exchange: exchanges.find(destination) },
  };
}

/** Throws ACCESS_REFUSED for the default exchange. */
export function checkNotDefault(name: string): void {
  if (name === '') throw new AmqpError('ACCESS_REFUSED', 'operation not permitted on the default exchange');
}
