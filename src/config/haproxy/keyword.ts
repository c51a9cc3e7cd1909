/**
 * The shape of the keyword table. One word, one row: where it may stand, what follows it, its default, its meaning, whether
 * Evergate does it yet, and the function that reads it. The parser, the checker and `docs/keywords-haproxy.md` read the same rows.
 */
import type { ProxyKind } from './config.ts';
import type { Statement } from './statement.ts';

export type SectionKind = 'global' | ProxyKind | 'resolvers';

export type Support =
  | { readonly kind: 'yes' }
  /** HAProxy knows it, Evergate doesn't yet: an error that says so. `instead` is a remedy, where there is one. */
  | { readonly kind: 'not-yet'; readonly instead?: string }
  /** HAProxy itself no longer takes it. */
  | { readonly kind: 'removed'; readonly version: string | undefined; readonly instead: string };

export interface Keyword<Target> {
  /** One or two words: `bind`, `timeout client`, `option httplog`. */
  readonly word: string;
  readonly sections: readonly SectionKind[];
  readonly arguments: string;
  readonly default?: string;
  readonly meaning: string;
  readonly support: Support;
  /** The HAProxy version that brought the word, when that is newer than 2.6. */
  readonly since?: string;
  /** `no` (and for some `default`) may stand before it. */
  readonly negatable?: boolean;
  /** Reads the arguments into the section. Present exactly when the word is supported. */
  readonly read?: (statement: Statement, target: Target) => void;
}

/** Words that stand as arguments of a `bind` or `server` line: as a keyword, without sections. */
export interface ArgumentKeyword<Target> {
  readonly word: string;
  readonly arguments: string;
  readonly default?: string;
  readonly meaning: string;
  readonly support: Support;
  readonly since?: string;
  /** How many words follow an unsupported one, so that the next argument is found. */
  readonly skip?: number;
  readonly read?: (statement: Statement, target: Target, keyword: { readonly place: Statement['place'] }) => void;
}

export const supported: Support = { kind: 'yes' };

/** Sections by the letters of the manual's keyword matrix: d = defaults, f = frontend, l = listen, b = backend, g = global, r = resolvers. */
export function sections(letters: string): readonly SectionKind[] {
  const byLetter: Readonly<Record<string, SectionKind>> = {
    d: 'defaults',
    f: 'frontend',
    l: 'listen',
    b: 'backend',
    g: 'global',
    r: 'resolvers',
  };
  return Array.from(letters, (letter) => byLetter[letter]!);
}

/** Rows for words that HAProxy knows and Evergate doesn't yet: `word: meaning`, where `word` may end in ` (2.8)` for newer ones. */
export function notYet(letters: string, rows: Readonly<Record<string, string>>): readonly Keyword<never>[] {
  return Object.entries(rows).map(([key, meaning]) => {
    const [, word, version] = /^(.*?)(?: \(([0-9.]+)\))?$/.exec(key) as unknown as [string, string, string | undefined];
    return {
      word,
      sections: sections(letters),
      arguments: '…',
      meaning,
      support: { kind: 'not-yet' },
      ...(version === undefined ? {} : { since: version }),
    };
  });
}

/** Rows for arguments that HAProxy knows and Evergate doesn't yet; `skip` words follow each. */
export function laterArguments<Target>(
  skip: number,
  rows: Readonly<Record<string, string>>,
): ArgumentKeyword<Target>[] {
  return Object.entries(rows).map(([key, meaning]) => {
    const [, word, version] = /^(.*?)(?: \(([0-9.]+)\))?$/.exec(key) as unknown as [string, string, string | undefined];
    return {
      word,
      arguments: skip > 0 ? '…' : '',
      meaning,
      support: { kind: 'not-yet' },
      skip,
      ...(version === undefined ? {} : { since: version }),
    };
  });
}

/** Finds rows by the first two words, then by the first. */
export class KeywordTable<Target> {
  readonly #rows = new Map<string, Keyword<Target>>();
  /** Second words by first word, for words such as `option` that mean nothing alone. */
  readonly #families = new Map<string, string[]>();

  constructor(rows: readonly Keyword<Target>[]) {
    for (const row of rows) {
      if (this.#rows.has(row.word)) throw new Error(`the keyword table has two rows for '${row.word}'`);
      this.#rows.set(row.word, row);
      const [first, second] = row.word.split(' ');
      if (second !== undefined) this.#families.set(first!, [...(this.#families.get(first!) ?? []), second]);
    }
  }

  /** The row, and how many words it took; undefined when neither is known. */
  find(first: string, second: string | undefined): { row: Keyword<Target>; words: number } | undefined {
    const both = second === undefined ? undefined : this.#rows.get(`${first} ${second}`);
    if (both !== undefined) return { row: both, words: 2 };
    const one = this.#rows.get(first);
    return one === undefined ? undefined : { row: one, words: 1 };
  }

  family(first: string): readonly string[] | undefined {
    return this.#families.get(first);
  }

  rows(): Iterable<Keyword<Target>> {
    return this.#rows.values();
  }
}
