import type { ApiAnswer, ApiRequest } from '../api.ts';
import { consumerInfo } from '../consumer-info.ts';
import type { Context } from '../context.ts';
import { decodeOptional, infosPerPage, namesPerPage, pageOf, requireEmpty } from './page.ts';

/** CONSUMER.INFO.<stream>.<consumer> */
export async function consumerInfoOf(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  requireEmpty(body);
  const [stream, consumer] = args as [string, string];
  return consumerInfo(context, context.streams.get(stream).getConsumer(consumer));
}

const listShape = { offset: 'integer' } as const;

/** CONSUMER.NAMES.<stream> {offset} */
export function consumerNames(context: Context, { args, body }: ApiRequest): ApiAnswer {
  const { offset } = decodeOptional(body, listShape);
  const page = pageOf(context.streams.get(args[0]!).consumers(), offset, namesPerPage);
  const consumers = page.items.map(({ name }) => name);
  return { total: page.total, offset: page.offset, limit: page.limit, consumers };
}

/** CONSUMER.LIST.<stream> {offset} */
export async function consumerList(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  const { offset } = decodeOptional(body, listShape);
  const page = pageOf(context.streams.get(args[0]!).consumers(), offset, infosPerPage);
  const consumers = await Promise.all(page.items.map((consumer) => consumerInfo(context, consumer)));
  return { total: page.total, offset: page.offset, limit: page.limit, consumers };
}

/** CONSUMER.DELETE.<stream>.<consumer> */
export async function consumerDelete(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  requireEmpty(body);
  const [stream, consumer] = args as [string, string];
  await context.streams.get(stream).getConsumer(consumer).group.delete();
  return { success: true };
}
