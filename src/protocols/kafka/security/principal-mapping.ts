import { parsePattern, type SubjectPattern } from './subject-pattern.ts';

interface Rule {
  readonly pattern: SubjectPattern;
  readonly replacement: string;
  readonly letters: '' | 'L' | 'U';
}

/** Longer subjects do not get a principal. */
const subjectCharactersMax = 1024;

/**
 * The principal mapping derives the name of a principal from the subject of a client's certificate, by
 * Kafka's `ssl.principal.mapping.rules`. The first rule whose pattern matches the whole subject decides.
 *
 * ```
 * rules => rule (`,` rule)*        rule => `DEFAULT` | `RULE:` pattern `/` replacement `/` (`L` | `U`)?
 * ```
 */
export class PrincipalMapping {
  readonly #rules: readonly (Rule | 'DEFAULT')[];

  /** Throws an Error that names the invalid rule. */
  constructor(text: string) {
    this.#rules = parseRules(text);
  }

  /** Undefined if no rule matches. */
  nameOf(subject: string): string | undefined {
    if (subject.length > subjectCharactersMax) return undefined;
    for (const rule of this.#rules) {
      if (rule === 'DEFAULT') return subject;
      const groups = rule.pattern.match(subject);
      if (groups === undefined) continue;
      const name = replaced(rule.replacement, groups);
      return rule.letters === 'L' ? name.toLowerCase() : rule.letters === 'U' ? name.toUpperCase() : name;
    }
    return undefined;
  }
}

function parseRules(text: string): (Rule | 'DEFAULT')[] {
  const rules: (Rule | 'DEFAULT')[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const [whole, isDefault, pattern = '', replacement = '', letters = ''] =
      /^(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,\s*|$)/s.exec(rest) ?? [];
    if (whole === undefined) throw new Error(`"${rest}" begins with no rule`);
    rules.push(
      isDefault === undefined
        ? {
            pattern: parsePattern(pattern),
            replacement,
            letters: letters as Rule['letters'],
          }
        : 'DEFAULT',
    );
    rest = rest.slice(whole.length);
  }
  return rules;
}

/** `$1` stands for a group; if there is no group of that number, the text stays unchanged. `\` escapes. */
function replaced(replacement: string, groups: readonly string[]): string {
  return replacement.replaceAll(
    /\\(.)|\$(\d)/gs,
    (found, escaped: string | undefined, digit: string | undefined) =>
      escaped === undefined ? (groups[Number(digit)] ?? found) : escaped,
  );
}
