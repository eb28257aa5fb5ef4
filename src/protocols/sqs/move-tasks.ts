import { AwsError } from '../../wire/aws/index.ts';
import { MoveTask, type MoveOptions } from './move-task.ts';

/** Tasks that may run at once. */
const activeMax = 100;
/** Ended tasks that are remembered for lists. */
const rememberedMax = 1_000;

/** A task and the handle by which clients know it. */
export interface KnownTask {
  readonly handle: string;
  readonly task: MoveTask;
}

/**
 * The move tasks of the server. They are not stored: a stop ends them, and messages are in one of the queues.
 */
export class MoveTasks {
  /** By handle, in the order of their starts. */
  readonly #tasks = new Map<string, MoveTask>();

  /** Starts a task. Throws an AwsError if one of the same source runs already. */
  start(options: MoveOptions, total: number): KnownTask {
    const active = Array.from(this.#tasks.values()).filter(({ isActive }) => isActive);
    if (active.some((task) => task.options.source === options.source))
      throw new AwsError(
        'InvalidParameterValue',
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      );
    if (active.length >= activeMax)
      throw new AwsError('UnsupportedOperation', `There may be ${activeMax} active tasks at most.`);
    const { broker, source } = options;
    const id = Buffer.from(broker.random.bytes(12)).toString('hex');
    const handle = Buffer.from(JSON.stringify({ taskId: id, source: source.name })).toString('base64');
    const task = new MoveTask(options, total);
    this.#tasks.set(handle, task);
    this.#forget();
    void task.run();
    return { handle, task };
  }

  /** Throws an AwsError for a handle that is none, or whose task is not known. */
  find(handle: string): MoveTask {
    const task = this.#tasks.get(handle);
    if (task) return task;
    if (!isHandle(handle))
      throw new AwsError('InvalidParameterValue', 'Value for parameter TaskHandle is invalid.');
    throw new AwsError('ResourceNotFoundException', 'Task does not exist.');
  }

  /** The tasks of a queue, the latest first. */
  of(source: MoveOptions['source']): KnownTask[] {
    return Array.from(this.#tasks, ([handle, task]) => ({ handle, task }))
      .filter(({ task }) => task.options.source === source)
      .reverse();
  }

  close(): void {
    for (const task of this.#tasks.values()) task.stop();
  }

  #forget(): void {
    for (const [handle, { isActive }] of this.#tasks) {
      if (this.#tasks.size <= rememberedMax) return;
      if (!isActive) this.#tasks.delete(handle);
    }
  }
}

function isHandle(handle: string): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(handle, 'base64').toString('utf8'));
    return typeof value === 'object' && value !== null && 'taskId' in value;
  } catch {
    return false;
  }
}
