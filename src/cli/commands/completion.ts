import { Argument, type Command } from 'commander';
import { allPlaces } from '../completion/places.ts';
import { type Shell, scripts } from '../completion/scripts.ts';

/** `pillarbox completion SHELL`: prints a script that makes the shell complete commands and options. */
export function configure(command: Command): void {
  command
    .addArgument(new Argument('<shell>', 'the shell that is to complete').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      '\nbash: source <(pillarbox completion bash)\nzsh:  source <(pillarbox completion zsh)\nfish: pillarbox completion fish | source',
    )
    .action(async (shell: Shell) => {
      process.stdout.write(scripts[shell](await allPlaces()));
    });
}
