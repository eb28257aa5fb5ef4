import { CliError, exitCode } from './exit-code.ts';

const inputBytesMax = 64 * 1024;
const controlC = '\u0003';
const controlD = '\u0004';
const backspaces = ['\u007f', '\b'];

/** Came with a line that was read, and belongs to the next. */
let unread = '';

/** Reads a line from the terminal without showing it. The prompt goes to stderr. */
export async function readHidden(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(prompt);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  let line = '';
  try {
    for (;;) {
      const input = unread || (await nextInput());
      unread = '';
      for (let at = 0; at < input.length; at++) {
        const character = input[at]!;
        if (character === controlC) throw new CliError(exitCode.interrupted, 'Interrupted.');
        if (character === '\r' || character === '\n' || character === controlD) {
          unread = input.slice(at + 1);
          return line;
        }
        line = backspaces.includes(character) ? line.slice(0, -1) : line + character;
      }
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

function nextInput(): Promise<string> {
  return new Promise((resolve) => {
    process.stdin.once('data', (chunk: Buffer | string) => resolve(String(chunk)));
    process.stdin.resume();
  });
}

/** All of stdin. */
export async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > inputBytesMax) throw new CliError(exitCode.usage, 'stdin holds more than a password.');
  }
  return Buffer.concat(chunks).toString('utf8');
}
