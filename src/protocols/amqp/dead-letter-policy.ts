import type { TopicDeadLetterPolicy } from '../../broker/index.ts';
import type { FieldTable } from '../../wire/amqp/index.ts';

/** The dead-letter route of AMQP: to the queues that the dead-letter exchange of the origin routes to. */
export const routeName = 'amqp';

/** The arguments of a queue that name the exchange and the routing key of its dead letters. */
export const exchangeArgument = 'x-dead-letter-exchange';
export const keyArgument = 'x-dead-letter-routing-key';

/** The policy of a queue with these arguments; undefined without a dead-letter exchange. */
export function deadLetterPolicy(table: FieldTable): TopicDeadLetterPolicy | undefined {
  if (table.get(exchangeArgument) === undefined) return undefined;
  return { to: { route: routeName }, causes: ['rejected', 'max-deliveries', 'expired', 'overflow'] };
}
