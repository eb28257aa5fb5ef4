import {
  type AwsError,
  Form,
  jsonRefusal,
  jsonReply,
  readAction,
  readForm,
  readJson,
  readTarget,
  sqsOperations,
  xmlRefusal,
  xmlReply,
  type Members,
  type Operation,
  type Service,
  type Structure,
  type WireReply,
} from '../../wire/aws/index.ts';
import { HttpError, type HttpRequest } from '../http/index.ts';

/** A call of an operation, as it was read from a request. */
export interface Call {
  readonly operation: Operation;
  readonly input: Structure<Members>;
}

/** A dialect is one of the two forms in which clients speak: AWS JSON, or Query with answers in XML. */
export interface Dialect {
  /** `body`: that of a POST. Throws an AwsError. */
  read(request: HttpRequest, body: Uint8Array): Call;
  reply(operation: Operation, output: Structure<Members>, requestId: string): WireReply;
  refusal(error: AwsError, requestId: string, request: HttpRequest | undefined): WireReply;
}

const json: Dialect = {
  read: (request, body) => {
    const target = request.headers['x-amz-target'];
    const operation: Operation = sqsOperations[readTarget(typeof target === 'string' ? target : undefined)];
    return { operation, input: readJson(operation, body, queueOfPath(request)) };
  },
  reply: jsonReply,
  refusal: (error, requestId, request) =>
    jsonRefusal(error, requestId, request?.headers['x-amzn-query-mode'] === 'true'),
};

const query: Dialect = {
  read: (request, body) => {
    const form = Form.read(request.method === 'GET' ? queryOf(request) : body);
    const operation = readAction(form);
    services.set(request, operation.service);
    return { operation, input: readForm(operation, form, queueOfPath(request)) };
  },
  reply: xmlReply,
  refusal: (error, requestId, request) =>
    xmlRefusal(error, requestId, (request && services.get(request)) ?? 'sqs'),
};

/** The services that forms are for, once they are read: their errors differ. */
const services = new WeakMap<HttpRequest, Service>();

/** The dialect of a request, which is known from its headers alone. */
export function dialectOf({ headers }: HttpRequest): Dialect {
  const { 'content-type': type = '' } = headers;
  return headers['x-amz-target'] !== undefined || type.startsWith('application/x-amz-json') ? json : query;
}

/** The dialect for clients whose own is not known, because there is no request. */
export const dialectOfNone: Dialect = json;

export function checkMethod({ method }: HttpRequest): void {
  if (method !== 'GET' && method !== 'POST')
    throw new HttpError(405, 'method-not-allowed', `This server takes GET and POST, not ${method}.`, {
      allow: 'GET, POST',
    });
}

function queryOf({ target }: HttpRequest): string {
  const at = target.indexOf('?');
  return at < 0 ? '' : target.slice(at + 1);
}

/** Requests may go to the path of a queue instead of naming it: `/000000000000/orders`. */
function queueOfPath({ target }: HttpRequest): { readonly QueueUrl?: string } {
  if (target === '/' || target.startsWith('/?')) return {};
  const path = target.replace(/\?.*$/, '');
  return /^(\/[^/]+){2,4}\/?$/.test(path) ? { QueueUrl: path } : {};
}
