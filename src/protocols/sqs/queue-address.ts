import { AwsError } from '../../wire/aws/index.ts';
import type { Caller } from './caller.ts';

// How clients address queues: by URL and by ARN. All accounts and regions are one name space, so that only
// the name matters. A client sees the account and the region that it knows itself.

/** `http://127.0.0.1:9324/000000000000/orders` */
export function queueUrl({ origin, account }: Caller, queue: string): string {
  return `${origin}/${account}/${queue}`;
}

/** `arn:aws:sqs:us-east-1:000000000000:orders` */
export function queueArn({ region, account }: Caller, queue: string): string {
  return `arn:aws:sqs:${region}:${account}:${queue}`;
}

/**
 * The name of the queue in a URL, which is the last part of its path. Throws InvalidAddress for a text that
 * is no URL of a queue.
 */
export function nameInUrl(url: string): string {
  const name = urlOfQueue.exec(url)?.[1];
  if (name === undefined)
    throw new AwsError('InvalidAddress', `The address ${url} is not valid for this endpoint.`);
  return name;
}

/**
 * `http://host/000000000000/orders`, `http://host/queue/eu-west-1/000000000000/orders`,
 * `/000000000000/orders`.
 */
const urlOfQueue = /^(?:https?:\/\/[^/?#\s]+)?(?:\/[^/?#\s]+){1,3}\/([^/?#\s]+)\/?$/;

/** The name of the queue in an ARN; undefined for a text that is no ARN of a queue. */
export function nameInArn(arn: string): string | undefined {
  return /^arn:[a-z-]+:sqs:[a-z0-9-]*:\d{12}:([a-zA-Z0-9_-]+(?:\.fifo)?)$/.exec(arn)?.[1];
}
