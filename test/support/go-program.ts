import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts';

const run = promisify(execFile);

const downloadTimeoutMs = 60_000;
const buildTimeoutMs = 180_000;
const scenarioTimeoutMs = 60_000;

interface ProcessError extends Error {
  readonly stderr?: string;
}

/** A client in Go, built of the sources in a directory, that plays scenarios against a server. */
export class GoProgram implements AsyncDisposable {
  /** Why it could not be built here: there is no Go, or its modules cannot be fetched. */
  readonly skipReason: string | undefined;
  readonly #directory: TemporaryDirectory | undefined;

  private constructor(directory: TemporaryDirectory | undefined, skipReason: string | undefined) {
    this.#directory = directory;
    this.skipReason = skipReason;
  }

  static async build(sources: string): Promise<GoProgram> {
    const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly -buildvcs=false' };
    const go = (args: readonly string[], timeout: number): Promise<unknown> =>
      run('go', args, { cwd: sources, timeout, env });
    try {
      await go(['version'], downloadTimeoutMs);
    } catch {
      return new GoProgram(undefined, 'go is not installed');
    }
    try {
      await go(['mod', 'download'], downloadTimeoutMs);
    } catch (error) {
      const reason = (error as ProcessError).stderr?.trim().split('\n').at(-1) ?? String(error);
      return new GoProgram(undefined, `the Go modules cannot be fetched: ${reason}`);
    }
    const directory = await makeTemporaryDirectory();
    await go(['build', '-o', join(directory.path, 'client'), '.'], buildTimeoutMs);
    return new GoProgram(directory, undefined);
  }

  /** Fails with what the program says of the first thing that was not as it should be. */
  async play(...args: readonly string[]): Promise<void> {
    const program = join(this.#directory!.path, 'client');
    await run(program, args, { timeout: scenarioTimeoutMs }).catch((error: ProcessError) => {
      assert.fail(error.stderr?.trim() || error.message);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory?.[Symbol.asyncDispose]();
  }
}
