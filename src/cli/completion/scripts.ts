import type { Candidate, Place } from './places.ts';

/** A shell that a script can be made for. */
export type Shell = 'bash' | 'zsh' | 'fish';

/** The scripts, by shell: `source` one, or put it where the shell looks for completions. */
export const scripts: { readonly [K in Shell]: (places: readonly Place[]) => string } = { bash, zsh, fish };

function bash(places: readonly Place[]): string {
  return `# bash completion for pillarbox: source <(pillarbox completion bash)
_pillarbox() {
  local current="\${COMP_WORDS[COMP_CWORD]}" place="" words="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${place:+$place }\${COMP_WORDS[at]}" in
      ${pathPattern(places)}) place="\${place:+$place }\${COMP_WORDS[at]}" ;;
    esac
  done
  case "$place" in
${places.map(({ path, words, options }) => `    "${path}") words="${namesOf([...words, ...options])}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _pillarbox pillarbox
`;
}

function zsh(places: readonly Place[]): string {
  const described = ({ name, summary }: Candidate): string => quoted(`${colonless(name)}:${summary}`);
  return `#compdef pillarbox
# zsh completion for pillarbox: source <(pillarbox completion zsh)
_pillarbox() {
  local place="" word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${place:+$place }$word" in
      ${pathPattern(places)}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place" in
${places
  .map(({ path, words, options }) => {
    const all = [...words, ...options].map(described).join('\n      ');
    return `    ("${path}") candidates=(\n      ${all}\n    ) ;;`;
  })
  .join('\n')}
  esac
  _describe 'pillarbox' candidates || _files
}
compdef _pillarbox pillarbox
`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, options }) => {
    const here = `complete -c pillarbox -n 'test (__pillarbox_place) = "${path}"'`;
    return [
      ...words.map(({ name, summary }) => `${here} -f -a ${name} -d ${quoted(summary)}`),
      ...options.map(({ name, summary, takesValue }) => {
        const value = takesValue ? ' -r' : '';
        return `${here} -l ${name.slice(2)}${value} -d ${quoted(summary)}`;
      }),
    ];
  });
  return `# fish completion for pillarbox: pillarbox completion fish | source
function __pillarbox_place
  set -l place
  for word in (commandline -opc)[2..]
    switch "$place $word"
      case ${places
        .filter(({ path }) => path !== '')
        .map(({ path }) => (path.includes(' ') ? quoted(path) : quoted(` ${path}`)))
        .join(' ')}
        set place (string trim "$place $word")
    end
  end
  echo "$place"
end
${lines.join('\n')}
`;
}

/** `"serve" | "topics" | "topics list"`, the pattern of a case. */
function pathPattern(places: readonly Place[]): string {
  return places
    .filter(({ path }) => path !== '')
    .map(({ path }) => `"${path}"`)
    .join(' | ');
}

function namesOf(candidates: readonly Candidate[]): string {
  return candidates.map(({ name }) => name).join(' ');
}

/** In single quotes, as all three shells read them. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", '’')}'`;
}

function colonless(name: string): string {
  return name.replaceAll(':', '\\:');
}
