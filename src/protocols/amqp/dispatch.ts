import { methods, type Arguments, type Method } from '../../wire/amqp/index.ts';
import { Channel } from './channel.ts';
import { AmqpError } from './errors.ts';
import { handlerOf } from './handlers/index.ts';
import type { Session } from './session.ts';

const noBytes = Buffer.alloc(0);
/** The class connection. */
const connectionClass = 10;

/**
 * Takes a method of a client: those of the connection here, those of a channel to their handlers. Throws, or
 * rejects with, an AmqpError.
 */
export function dispatch(
  session: Session,
  number: number,
  method: Method,
  values: Arguments<Method>,
): void | Promise<void> {
  const { connection, channel: channels } = methods;
  if (method === connection.close) return session.closeByClient();
  if (method === connection.closeOk) return session.close({ kind: 'client' });
  if (session.handshake) return session.handshake.step(number, method, values);
  const channel = session.channels.get(number);
  if (channel?.isClosing) return takeClosing(session, channel, method);
  if (number === 0 && method.id[0] !== connectionClass)
    throw new AmqpError('CHANNEL_ERROR', 'unexpected method in connection state running');
  // The new secret of a user with a token; there are no such tokens here.
  if (method === connection.updateSecret) return session.send(0, connection.updateSecretOk, {});
  if (method === channels.open) return openChannel(session, number);
  if (!channel) throw new AmqpError('CHANNEL_ERROR', "expected 'channel.open'");
  if (channel.content.target) throw unfinishedContent(channel);
  const handler = handlerOf(method);
  if (!handler) throw new AmqpError('COMMAND_INVALID', 'unimplemented method');
  return handler(channel, values);
}

function openChannel(session: Session, number: number): void {
  const { channels, channelsMax } = session;
  if (channels.has(number)) throw new AmqpError('CHANNEL_ERROR', "second 'channel.open' seen");
  if (number > channelsMax || channels.size >= channelsMax)
    throw new AmqpError(
      'NOT_ALLOWED',
      `number of channels opened (${channels.size}) has reached the negotiated channel_max (${channelsMax})`,
    );
  channels.set(number, new Channel(session, number));
  session.send(number, methods.channel.openOk, { reserved1: noBytes });
}

/** A channel that the server has closed answers nothing until the client has confirmed that. */
function takeClosing(session: Session, channel: Channel, method: Method): void {
  if (method === methods.channel.close) session.send(channel.number, methods.channel.closeOk, {});
  else if (method === methods.channel.closeOk) session.removeChannel(channel);
}

/** UNEXPECTED_FRAME: another frame came before the rest of a content. */
export function unfinishedContent({ content }: Channel): AmqpError {
  return new AmqpError(
    'UNEXPECTED_FRAME',
    content.awaitsHeader
      ? 'expected content header for class 60, got non content header frame instead'
      : 'expected content body, got non content body frame instead',
  );
}
