import { Command } from 'commander';
import { commands } from '../program.ts';

/** A place of the command line is a command, or a subcommand, and what may follow there. */
export interface Place {
  /** The words before: none, `topics`, or `topics list`. */
  readonly path: string;
  readonly words: readonly Candidate[];
  readonly options: readonly OptionCandidate[];
}

export interface Candidate {
  readonly name: string;
  readonly summary: string;
}

/** A long option, with its dashes. */
export interface OptionCandidate extends Candidate {
  readonly takesValue: boolean;
}

/** All places, read from the commands themselves, so that a completion knows what they know. */
export async function allPlaces(): Promise<readonly Place[]> {
  const places: Place[] = [
    { path: '', words: commands.map(({ name, summary }) => ({ name, summary })), options: [help] },
  ];
  for (const { name, load } of commands) {
    const command = new Command(name);
    await (await load()).configure(command);
    places.push(placeOf(name, command));
    for (const subcommand of command.commands)
      places.push(placeOf(`${name} ${subcommand.name()}`, subcommand));
  }
  return places;
}

const help: OptionCandidate = { name: '--help', summary: 'show the help', takesValue: false };

function placeOf(path: string, command: Command): Place {
  const { commands: subcommands, options } = command;
  return {
    path,
    words: subcommands.map((known) => ({ name: known.name(), summary: known.description() })),
    options: [
      ...options.flatMap(({ long, description, required, optional }) =>
        typeof long !== 'string'
          ? []
          : [{ name: long, summary: description, takesValue: required || optional }],
      ),
      help,
    ],
  };
}
