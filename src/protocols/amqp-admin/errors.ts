import { AmqpError, amqpError } from '../amqp/index.ts';
import { HttpError } from '../http/index.ts';
import { BrokerError } from '../../broker/index.ts';

/** A text, or a word for the problem and the value that has it. */
export type Reason = string | readonly [problem: string, value: unknown];

/** A refusal in the form of RabbitMQ's management API: `{"error":"bad_request","reason":"…"}`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly error: string;
  readonly reason: Reason;
  readonly headers: { readonly [name: string]: string };

  constructor(
    status: number,
    error: string,
    reason: Reason,
    headers: { readonly [name: string]: string } = {},
  ) {
    super(typeof reason === 'string' ? reason : reason[0]);
    this.reason = reason;
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

export function badRequest(reason: Reason): ApiError {
  return new ApiError(400, 'bad_request', reason);
}

/** What the path names is not there. */
export function objectNotFound(): ApiError {
  return new ApiError(404, 'Object Not Found', 'Not Found');
}

/** The user is known, and may not do that. RabbitMQ answers 401, not 403. */
export function notAuthorised(reason: string): ApiError {
  return new ApiError(401, 'not_authorised', reason);
}

/** Something that this server does not do, with what to do instead. */
export function notSupported(reason: string): ApiError {
  return new ApiError(405, 'method_not_allowed', reason);
}

/** The refusal that a client gets for an error; undefined for one that nobody has foreseen. */
export function refusalOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof HttpError) return refusalOfHttp(error);
  if (error instanceof BrokerError || error instanceof AmqpError) return refusalOfAmqp(amqpError(error));
  return undefined;
}

/** RabbitMQ's answers to what goes wrong in AMQP while a request is carried out. */
function refusalOfAmqp({ reply, message }: AmqpError): ApiError {
  switch (reply) {
    case 'NOT_FOUND':
      return new ApiError(404, 'not_found', message);
    case 'ACCESS_REFUSED':
    case 'NOT_ALLOWED':
      return notAuthorised('Access refused.');
    case 'CONNECTION_FORCED':
    case 'INTERNAL_ERROR':
      return new ApiError(503, 'service_unavailable', message);
    default:
      return badRequest(message);
  }
}

function refusalOfHttp({ status, code, message, headers }: HttpError): ApiError {
  if (code === 'route-not-found') return objectNotFound();
  if (code === 'body-too-large') return badRequest('Exceeded HTTP request body size limit');
  return new ApiError(status, code.replaceAll('-', '_'), message, headers);
}

/**
 * Runs what RabbitMQ does by a channel: its errors have the code of AMQP in front. Rejects with an ApiError.
 */
export async function whileMessaging<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AmqpError || error instanceof BrokerError)) throw error;
    const { reply, code, text } = amqpError(error);
    if (reply === 'NOT_FOUND') throw new ApiError(404, 'not_found', text);
    if (reply === 'ACCESS_REFUSED') throw notAuthorised(text);
    throw badRequest(`${code} ${text}`);
  }
}
