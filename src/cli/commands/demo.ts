import type { Command } from 'commander';

/** `pillarbox demo`: the tutorial, on an embedded broker. Its output is the same every time. */
export function configure(command: Command): void {
  command.action(async () => {
    const { runDemo } = await import('../../demo.ts');
    await runDemo((text: string) => void process.stdout.write(text));
  });
}
