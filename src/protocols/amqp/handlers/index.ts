import type { Method } from '../../../wire/amqp/index.ts';
import { basicHandlers } from './basic.ts';
import { channelHandlers } from './channel.ts';
import { exchangeHandlers } from './exchange.ts';
import type { Handler } from './handler.ts';
import { queueHandlers } from './queue.ts';
import { txHandlers } from './tx.ts';

const handlers: ReadonlyMap<Method, Handler> = new Map([
  ...channelHandlers,
  ...exchangeHandlers,
  ...queueHandlers,
  ...basicHandlers,
  ...txHandlers,
]);

/** The handler of a method on an open channel; undefined if clients do not send it. */
export function handlerOf(method: Method): Handler | undefined {
  return handlers.get(method);
}
