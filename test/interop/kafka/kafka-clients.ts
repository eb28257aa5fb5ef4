import kafkajs, { type Kafka as KafkaJs } from 'kafkajs';
import { uniqueName } from '../../support/index.ts';

const { Kafka, logLevel } = kafkajs;

export function kafkaAt(port: number, options: { readonly clientId?: string } = {}): KafkaJs {
  return new Kafka({
    brokers: [`127.0.0.1:${port}`],
    clientId: options.clientId ?? 'test',
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50 },
  });
}

/** A message as kafkajs shows it. */
export interface Consumed {
  readonly partition: number;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: { readonly [name: string]: unknown };
}

/** The first messages of a topic, by a group of its own. */
export async function consumeAll(port: number, topic: string, count: number): Promise<Consumed[]> {
  const consumer = kafkaAt(port).consumer({ groupId: uniqueName('group'), maxWaitTimeInMs: 100 });
  const consumed: Consumed[] = [];
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${consumed.length} of ${count} messages came`)),
        60_000,
      );
      consumer
        .run({
          eachMessage: ({ partition, message }) => {
            const { offset, key, value, headers } = message;
            consumed.push({ partition, offset, key, value, ...(headers === undefined ? {} : { headers }) });
            if (consumed.length === count) {
              clearTimeout(timer);
              resolve();
            }
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return consumed;
}
