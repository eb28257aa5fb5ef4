import { methods } from '../../../wire/amqp/index.ts';
import { AmqpError } from '../errors.ts';
import { on, type Handling } from './handler.ts';

/** The classes channel, access and confirm. */
export const channelHandlers: readonly Handling[] = [
  on(methods.channel.close, (channel) => {
    channel.close();
    channel.session.removeChannel(channel);
    channel.session.send(channel.number, methods.channel.closeOk, {});
  }),

  on(methods.channel.closeOk, () => {
    // of a channel that the server has not closed: there is nothing to do
  }),

  on(methods.channel.flow, (channel, { active }) => {
    if (!active) throw new AmqpError('NOT_IMPLEMENTED', 'active=false');
    channel.send(methods.channel.flowOk, { active });
  }),

  on(methods.channel.flowOk, () => {
    // the server never asks for it
  }),

  /** Of AMQP 0-9: a ticket that means nothing. */
  on(methods.access.request, (channel) => channel.send(methods.access.requestOk, { ticket: 1 })),

  on(methods.confirm.select, (channel, { noWait }) => {
    if (channel.transaction)
      throw new AmqpError('PRECONDITION_FAILED', 'cannot switch from tx to confirm mode');
    channel.confirmPublishes();
    if (!noWait) channel.send(methods.confirm.selectOk, {});
  }),
];
