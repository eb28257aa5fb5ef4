import { exitCode } from './exit-code.ts';

/**
 * The reader of the output, such as `head`, may go away while a command still prints. Then the command has
 * nothing left to do: the process ends without a word, as SIGPIPE ends programs that do not ignore it.
 */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endIfGone);
}

/** For a command whose work goes on when nobody reads what it says. */
export function outliveReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {});
    stream.off('error', endIfGone);
  }
}

function endIfGone(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCode.readerGone);
  throw error;
}
