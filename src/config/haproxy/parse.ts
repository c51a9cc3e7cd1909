/**
 * HAProxy's configuration files into a typed Config and the list of everything that is wrong with them.
 * Files are read one after the other; each begins without a section, but `defaults` go on from one file to the next
 * (management guide, 3 "Starting HAProxy", -f). A line that is refused is reported and the next one read.
 */
import type { Diagnostic, DiagnosticCode, Place } from '../diagnostic.ts';
import type {
  GlobalSettings,
  HaproxyConfig,
  ProxyKind,
  ProxySection,
  ProxySettings,
  ResolversSection,
} from './config.ts';
import type { Keyword, KeywordTable, SectionKind } from './keyword.ts';
import { laterSections } from './keywords-later.ts';
import { isDiagnostic, type Line, readLine, type Variables, type Word } from './lexer.ts';
import { nearMiss, notSupportedYet, placeName, refusal, sectionNames, unexpected, unknownWord } from './refusals.ts';
import { Refusal, Statement } from './statement.ts';
import { globalTable, proxyTable, resolversTable } from './table.ts';

export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

export interface ParsedHaproxy {
  readonly config: HaproxyConfig;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * @param files in the order of the command line.
 * @param variables the environment for `"${NAME}"`; `setenv` and its kin in `global` change a copy of it.
 */
export function parseHaproxy(
  files: readonly ConfigFile[],
  variables: Iterable<readonly [string, string]>,
): ParsedHaproxy {
  const parser = new Parser(variables);
  for (const file of files) parser.file(file);
  return parser.finish();
}

/** What the lines of the current section are read into. */
type Section =
  | { readonly kind: 'global' }
  | { readonly kind: 'resolvers'; readonly target: ResolversSection }
  | { readonly kind: ProxyKind; readonly proxy: ProxySection }
  /** Before the first section, or within one that was refused: lines are skipped, not reported one by one. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'none' };

class Parser {
  #global: GlobalSettings = { cpuMaps: [], logs: [] };
  #proxies: ProxySection[] = [];
  #resolvers: ResolversSection[] = [];
  #defaults: ProxySection[] = [];
  #diagnostics: Diagnostic[] = [];
  #variables: Variables;
  #section: Section = { kind: 'none' };

  constructor(variables: Iterable<readonly [string, string]>) {
    this.#variables = new Map(variables);
  }

  file({ path, text }: ConfigFile): void {
    this.#section = { kind: 'none' };
    const lines = text.split('\n');
    const last = lines.pop()!;
    for (const [index, line] of lines.entries()) this.#physicalLine(line, path, index + 1);
    if (last === '') return;
    // HAProxy 2.6 takes a missing line feed for a truncated file and refuses it.
    this.#physicalLine(last, path, lines.length + 1);
    this.#report(
      'alert',
      'no-final-newline',
      { file: path, line: lines.length + 1, column: last.length + 1, length: 1 },
      `Missing LF on last line, file might have been truncated at position ${last.length + 1}.`,
      'end the last line with a line feed',
    );
  }

  finish(): ParsedHaproxy {
    this.#checkNames();
    return {
      config: {
        global: this.#global,
        proxies: this.#proxies,
        resolvers: this.#resolvers,
        damaged: this.#diagnostics.some((one) => one.severity === 'alert'),
        warned: this.#diagnostics.some((one) => one.severity === 'warning'),
      },
      diagnostics: this.#diagnostics,
    };
  }

  // -------------------------------------------------------------- lines

  #physicalLine(text: string, file: string, number: number): void {
    const line = readLine(text, file, number, this.#variables);
    if (isDiagnostic(line)) {
      this.#diagnostics.push(line);
      return;
    }
    if (line.words.length === 0) return;
    try {
      this.#line(line);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#diagnostics.push(error.diagnostic);
    }
  }

  #line(line: Line): void {
    const first = line.words[0]!.text;
    if (this.#sectionLine(line)) return;
    if (/^\.(if|elif|else|endif|diag|notice|warning|alert)$/.test(first))
      throw refusal(
        'unsupported-word',
        line.words[0]!.place,
        `conditional block directives ('${first}') are not supported yet.`,
        'keep one variant of the lines',
      );
    switch (this.#section.kind) {
      case 'skipped':
        return;
      case 'none':
        throw refusal(
          'unknown-section',
          line.words[0]!.place,
          `unknown keyword '${first}' out of section.`,
          nearMiss(first, sectionNames) ?? "begin with a section such as 'global', 'defaults' or 'frontend'",
        );
      case 'global':
        this.#keyword(line, globalTable, 'global', { settings: this.#global, variables: this.#variables });
        return;
      case 'resolvers':
        this.#keyword(line, resolversTable, 'resolvers', this.#section.target);
        return;
      default: {
        const { kind, settings } = this.#section.proxy;
        this.#keyword(line, proxyTable, kind, { kind, settings, globalLogLines: this.#global.logs.length });
      }
    }
  }

  /** Looks the line's word up in the section's table and lets its row read the rest. */
  #keyword<Target>(line: Line, table: KeywordTable<Target>, section: SectionKind, target: Target): void {
    const prefix =
      line.words[0]!.text === 'no' || line.words[0]!.text === 'default'
        ? (line.words[0]!.text as 'no' | 'default')
        : undefined;
    const words = prefix === undefined ? line.words : line.words.slice(1);
    const first = words[0];
    if (first === undefined) throw refusal('missing-argument', line.place, `'${prefix}' expects a keyword to negate.`);
    const found = table.find(first.text, words[1]?.text);
    if (found === undefined) throw unknownWord(table, section, first, words[1]);
    const { row } = found;
    const statement = new Statement(row.word, words, found.words, prefix, (diagnostic) =>
      this.#diagnostics.push(diagnostic),
    );
    if (row.support.kind === 'removed')
      throw refusal(
        'removed-word',
        statement.place,
        `The '${row.word}' directive is not supported anymore${row.support.version === undefined ? '' : ` since HAProxy ${row.support.version}`}.`,
        row.support.instead,
      );
    if (row.read === undefined) throw notSupportedYet(row, statement, words[1]);
    if (!row.sections.includes(section)) {
      this.#wrongSection(row, statement, section);
      return;
    }
    if (prefix !== undefined && row.negatable !== true)
      throw refusal('bad-value', line.words[0]!.place, `'${prefix}' is not supported before '${row.word}'.`);
    row.read(statement, target);
    statement.end();
  }

  /** HAProxy ignores a word of the other side with a warning; in `defaults`, and for servers, it is an error. */
  #wrongSection<Target>(row: Keyword<Target>, statement: Statement, section: SectionKind): void {
    const hint = `it belongs into ${row.sections.map((one) => `'${one}'`).join(', ')}`;
    const fatal = section === 'defaults' || section === 'global' || /^(default-)?server/.test(row.word);
    if (fatal)
      throw refusal('wrong-section', statement.place, `'${row.word}' not allowed in '${section}' section.`, hint);
    const side = section === 'frontend' ? 'backend' : 'frontend';
    statement.warn(
      'wrong-section',
      statement.place,
      `'${row.word}' ignored because this ${section} has no ${side} capability.`,
      hint,
    );
  }

  // -------------------------------------------------------------- sections

  #sectionLine(line: Line): boolean {
    const word = line.words[0]!;
    switch (word.text) {
      case 'global':
        this.#section = { kind: 'global' };
        if (line.words.length > 1) throw unexpected('global', line.words[1]!);
        return true;
      case 'defaults':
      case 'frontend':
      case 'backend':
      case 'listen':
        this.#section = { kind: 'skipped' };
        this.#proxySection(word.text, line);
        return true;
      case 'resolvers':
        this.#section = { kind: 'skipped' };
        this.#resolversSection(line);
        return true;
      default:
        if (!Object.hasOwn(laterSections, word.text)) return false;
        this.#section = { kind: 'skipped' };
        throw refusal(
          'unsupported-word',
          word.place,
          `'${word.text}' sections are not supported yet (${laterSections[word.text]}).`,
        );
    }
  }

  #proxySection(kind: ProxyKind, line: Line): void {
    const word = line.words[0]!;
    const rest = line.words.slice(1);
    const named = rest[0] !== undefined && rest[0].text !== 'from';
    const name = named ? rest.shift() : undefined;
    if (kind !== 'defaults' && name === undefined)
      throw refusal(
        'missing-argument',
        word.place,
        `'${kind}' expects <name> and optionally supports 'from' <defaults>.`,
      );
    const invalid = name === undefined ? undefined : /[^A-Za-z0-9_:.-]/.exec(name.text)?.[0];
    const base = this.#base(kind, rest);
    const proxy: ProxySection = {
      kind,
      name: { value: name?.text ?? '', place: name?.place ?? word.place },
      base,
      settings: emptySettings(base?.settings),
    };
    this.#section = { kind, proxy };
    if (kind === 'defaults') this.#defaults.push(proxy);
    else this.#proxies.push(proxy);
    if (invalid !== undefined)
      throw refusal(
        'bad-value',
        name!.place,
        `character '${invalid}' is not permitted in '${kind}' name '${name!.text}'.`,
      );
    if (rest[0] === undefined) return;
    if (kind === 'frontend' || kind === 'listen')
      throw refusal(
        'removed-word',
        rest[0].place,
        "please use the 'bind' keyword for listening addresses.",
        `write 'bind ${rest[0].text}' below`,
      );
    throw unexpected(kind, rest[0]);
  }

  /** The `defaults` section that a new section starts from: the one it names, else the last one (manual 4 "Proxies"). */
  #base(kind: ProxyKind, rest: Word[]): ProxySection | undefined {
    if (rest[0]?.text !== 'from') return kind === 'defaults' ? undefined : this.#defaults.at(-1);
    const [from, name] = rest.splice(0, 2);
    if (name === undefined)
      throw refusal(
        'missing-argument',
        from!.place,
        `'${kind}' expects the name of a 'defaults' section after 'from'.`,
      );
    const base = this.#defaults.findLast((one) => one.name.value === name.text);
    if (base === undefined) {
      const known = this.#defaults.map((one) => one.name.value).filter((one) => one !== '');
      throw refusal(
        'missing-reference',
        name.place,
        `cannot find defaults section '${name.text}' for '${kind}'.`,
        nearMiss(name.text, known),
      );
    }
    return base;
  }

  #resolversSection(line: Line): void {
    const [word, name, more] = line.words;
    if (name === undefined) throw refusal('missing-argument', word!.place, 'missing name for resolvers section.');
    if (more !== undefined) throw unexpected('resolvers', more);
    const before = this.#resolvers.find((one) => one.name.value === name.text);
    if (before !== undefined)
      throw refusal(
        'duplicate',
        name.place,
        `resolvers '${name.text}' has same name as another resolvers (declared at ${placeName(before.name.place)}).`,
      );
    const target: ResolversSection = {
      name: { value: name.text, place: name.place },
      nameservers: [],
      settings: { holdMs: {} },
    };
    this.#resolvers.push(target);
    this.#section = { kind: 'resolvers', target };
  }

  // -------------------------------------------------------------- names

  /** Two proxies may share a name only when one is a pure frontend and the other a pure backend. */
  #checkNames(): void {
    for (const [index, proxy] of this.#proxies.entries()) {
      const before = this.#proxies
        .slice(0, index)
        .find(
          (one) =>
            one.name.value === proxy.name.value &&
            (one.kind === proxy.kind || one.kind === 'listen' || proxy.kind === 'listen'),
        );
      if (before !== undefined)
        this.#report(
          'alert',
          'duplicate',
          proxy.name.place,
          `${proxy.kind} '${proxy.name.value}' has the same name as ${before.kind} '${before.name.value}' declared at ${placeName(before.name.place)}.`,
        );
    }
  }

  #report(severity: Diagnostic['severity'], code: DiagnosticCode, place: Place, message: string, hint?: string): void {
    this.#diagnostics.push({ severity, code, place, message, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Nothing written yet; two things start from the base, because lines change them rather than replace them. */
function emptySettings(base: ProxySettings | undefined): ProxySettings {
  return {
    ...(base?.connectionMode === undefined ? {} : { connectionMode: base.connectionMode }),
    binds: [],
    servers: [],
    serverDefaults: base?.serverDefaults ?? {},
    timeouts: {},
    switches: {},
    useBackends: [],
    logs: [],
    errorFiles: [],
    httpCheckExpect: [],
  };
}
