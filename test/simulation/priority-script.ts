import { Choices } from './random-choice.ts';
import type { Operation, PlannedMessage, Script } from './script.ts';

/** Topics with priorities, of so many of a hundred scripts, and ageing, of so many of a hundred of these. */
const share = 60;
const ageingShare = 40;

/**
 * Gives the topics of some scripts priorities, and their messages levels. The choices are apart from those of
 * the script, which stays the same otherwise.
 */
export function withPriorities(script: Script): Script {
  const c = new Choices(script.seed + 77_000_000);
  if (!c.percent(share)) return script;
  const priorities = c.of([2, 3, 5, 256]);
  const a = new Choices(script.seed + 78_000_000);
  const ageing = a.percent(ageingShare) ? { ageingMs: a.of([50, 300, 2000]) } : {};
  const level = (): number => (c.percent(45) ? 0 : c.between(1, priorities - 1));
  const raised = (message: PlannedMessage): PlannedMessage =>
    message.copies === undefined && message.copyOf === undefined
      ? { ...message, priority: level() }
      : message;
  const isLetters = (topic: string): boolean => topic.includes('letters');
  const change = (operation: Operation): Operation => {
    switch (operation.kind) {
      case 'create-topic':
      case 'define-queue': {
        const { options } = operation;
        return isLetters(options.name)
          ? operation
          : { ...operation, options: { ...options, priorities, ...ageing } };
      }
      case 'create-group': {
        const { options } = operation;
        const ignores = c.percent(15);
        // An ack of all that came before would be about the order of deliveries, which the checker does not
        // know.
        const ack = options.ack === 'all' ? ('explicit' as const) : options.ack;
        return {
          ...operation,
          options: {
            ...options,
            ...(ack ? { ack } : {}),
            ...(ignores ? { priority: 'ignore' as const } : {}),
          },
        };
      }
      case 'answer':
        return operation.answer === 'ack-all' ? { ...operation, answer: 'ack' } : operation;
      case 'publish':
        return isLetters(operation.topic)
          ? operation
          : { ...operation, messages: operation.messages.map(raised) };
      default:
        return operation;
    }
  };
  return { ...script, operations: script.operations.map(change) };
}
