import type { Command } from 'commander';
import { processTerminal } from '../terminal.ts';

/** `pillarbox demo`: the tutorial, on an embedded broker. Its output is the same every time. */
export function configure(command: Command): void {
  command.action(async () => {
    const { runDemo } = await import('../../demo.ts');
    await runDemo(processTerminal(true).out);
  });
}
