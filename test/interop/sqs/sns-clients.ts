/** The AWS SDK's client of SNS, loaded when a test file begins: without it its tests are skipped. */
import type { Output } from './clients.ts';

/** The aggregated client: a method for each operation. */
export interface SnsSdkClient {
  readonly [operation: string]: (input: object) => Promise<Output>;
}

interface Sdk {
  readonly SNS: new (options: object) => SnsSdkClient;
}

async function load<T>(name: string): Promise<T | undefined> {
  try {
    return (await import(name)) as T;
  } catch {
    return undefined;
  }
}

const sdk = await load<Sdk>('@aws-sdk/client-sns');

export const skipSns: string | false = sdk ? false : 'there is no @aws-sdk/client-sns: npm ci brings it';

/** A client with credentials that prove nothing, unless the options have others. */
export function snsAt(port: number, options: object = {}): SnsSdkClient {
  return new sdk!.SNS({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
    ...options,
  });
}
