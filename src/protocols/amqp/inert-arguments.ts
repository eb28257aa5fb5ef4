import type { FieldValue } from '../../wire/amqp/index.ts';

// Arguments of queues that RabbitMQ takes and that change nothing here: they place replicas, choose between
// implementations of its queues, or are remains of earlier versions. Clients and frameworks send them.

/** Throws a text that says what is wrong with the value. */
type Check = (value: FieldValue) => void;

const checks: { readonly [name: string]: Check } = {
  'x-queue-mode': oneOf('default', 'lazy'),
  'x-queue-version': oneOf(1, 2),
  'x-queue-leader-locator': oneOf('client-local', 'balanced', 'random', 'least-leaders'),
  'x-queue-master-locator': oneOf('client-local', 'min-masters', 'random'),
  'x-quorum-initial-group-size': atLeast(1),
  'x-quorum-target-group-size': atLeast(1),
  'x-max-in-memory-length': atLeast(0),
  'x-max-in-memory-bytes': atLeast(0),
  'x-consumer-disconnected-timeout': atLeast(0),
  'x-ha-policy': () => {},
  'x-ha-nodes': () => {},
};

/** Those that RabbitMQ does not know either: they may differ when the queue is declared again. */
const uncompared: ReadonlySet<string> = new Set(['x-quorum-target-group-size', 'x-ha-policy', 'x-ha-nodes']);

/** Checks the value of such an argument; undefined if the argument is none of them. */
export function inertArgument(name: string): Check | undefined {
  return Object.hasOwn(checks, name) ? checks[name] : undefined;
}

/** Whether a queue that is declared again has to have the same value. */
export function isCompared(name: string): boolean {
  return name.startsWith('x-') && !uncompared.has(name);
}

function oneOf(...values: readonly (string | number)[]): Check {
  return (value) => {
    if (!values.includes(value as string | number)) throw new Error(`expected ${values.join(' or ')}`);
  };
}

function atLeast(min: number): Check {
  return (value) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min)
      throw new Error(`expected a whole number from ${min}`);
  };
}
