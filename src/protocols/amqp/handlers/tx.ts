import { methods } from '../../../wire/amqp/index.ts';
import type { Channel } from '../channel.ts';
import { AmqpError } from '../errors.ts';
import { Transaction } from '../transaction.ts';
import { on, type Handling } from './handler.ts';

/** The class tx. */
export const txHandlers: readonly Handling[] = [
  on(methods.tx.select, (channel) => {
    if (channel.confirms) throw new AmqpError('PRECONDITION_FAILED', 'cannot switch from confirm to tx mode');
    channel.transaction ??= new Transaction(channel.session.host.limits);
    channel.send(methods.tx.selectOk, {});
  }),

  on(methods.tx.commit, async (channel) => {
    await transactionOf(channel).commit(channel.session.host, (deliveries, settle) =>
      channel.answer(deliveries, settle),
    );
    channel.send(methods.tx.commitOk, {});
  }),

  on(methods.tx.rollback, (channel) => {
    transactionOf(channel);
    channel.rollBack();
    channel.send(methods.tx.rollbackOk, {});
  }),
];

function transactionOf(channel: Channel): Transaction {
  if (!channel.transaction) throw new AmqpError('PRECONDITION_FAILED', 'channel is not transactional');
  return channel.transaction;
}
