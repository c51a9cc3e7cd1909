/**
 * `log-format` text into nodes, by HAProxy's rules (configuration manual 8.2.6): `%var`, `%{+Q,-E}var`, `%{flags}o` for all that
 * follow, `%%`, and runs of spaces that count as one. Everything that HAProxy refuses is refused here, and so is what it
 * would silently ignore: unknown flags, and a percent sign before anything that is no variable.
 */
import { unsupportedVariables, type Variable, variables } from './variables.ts';

export type FormatMode = 'http' | 'tcp';

export interface FormatFlags {
  readonly quote: boolean; // Q
  readonly hexadecimal: boolean; // X
  readonly escape: boolean; // E
  readonly mandatory: boolean; // M: an empty text prints as "-"
}

export type FormatNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly variable: Variable; readonly flags: FormatFlags };

export type ParsedFormat =
  | { readonly ok: true; readonly nodes: readonly FormatNode[] }
  /** `column` counts from 1 in the text of the format. */
  | { readonly ok: false; readonly message: string; readonly column: number };

export function parseLogFormat(text: string, mode: FormatMode): ParsedFormat {
  const nodes: FormatNode[] = [];
  let defaults: FormatFlags = { quote: false, hexadecimal: false, escape: false, mandatory: true };
  let literal = '';
  let afterSpace = true; // a line doesn't begin with a space
  const flush = () => {
    if (literal !== '') nodes.push({ kind: 'text', text: literal });
    literal = '';
  };
  for (let index = 0; index < text.length; ) {
    const character = text[index];
    if (character !== '%') {
      if (character !== ' ' || !afterSpace) literal += character;
      afterSpace = character === ' ';
      index++;
      continue;
    }
    const start = index++;
    if (text[index] === '%') {
      literal += '%';
      afterSpace = false;
      index++;
      continue;
    }
    const reference = readReference(text, start);
    if ('message' in reference) return { ok: false, ...reference };
    index = reference.end;
    const flags = withFlags(defaults, reference.flags);
    if (typeof flags === 'string') return { ok: false, message: flags, column: start + 1 };
    if (reference.name === 'o') {
      defaults = flags;
      continue;
    }
    const variable = variables.get(reference.name);
    const refusal = variable === undefined ? unknown(reference.name) : reserved(variable, mode);
    if (variable === undefined || refusal !== undefined)
      return { ok: false, message: refusal ?? '', column: start + 1 };
    if (variable.kind === 'nothing') continue;
    flush();
    nodes.push({ kind: 'variable', variable, flags });
    afterSpace = false;
  }
  flush();
  return { ok: true, nodes };
}

type Reference =
  | { readonly name: string; readonly flags: string; readonly end: number }
  | { readonly message: string; readonly column: number };

/** Reads what follows the percent sign at `start`: `{flags}` and the name. */
function readReference(text: string, start: number): Reference {
  let index = start + 1;
  let flags = '';
  if (text[index] === '{') {
    const close = text.indexOf('}', index);
    if (close < 0) return { message: `truncated line: '%{' without its '}'`, column: start + 1 };
    flags = text.slice(index + 1, close);
    index = close + 1;
  }
  if (text[index] === '[') return { message: 'sample expressions (%[...]) are not supported yet', column: start + 1 };
  const name = /^[A-Za-z][A-Za-z0-9]*/.exec(text.slice(index))?.[0];
  if (name === undefined) {
    const near = text.slice(start, index + 1);
    return {
      message: `variable name expected after '${near}'; to print a percent sign, write '%%'`,
      column: start + 1,
    };
  }
  return { name, flags, end: index + name.length };
}

function unknown(name: string): string {
  const missing = unsupportedVariables.get(name);
  return missing === undefined
    ? `no such format variable '%${name}'; to print a percent sign, write '%%'`
    : `format variable '%${name}' is not supported yet: it needs ${missing}`;
}

function reserved(variable: Variable, mode: FormatMode): string | undefined {
  return variable.httpOnly && mode !== 'http'
    ? `format variable '%${variable.name}' is reserved for HTTP mode`
    : undefined;
}

/** Returns the flags after `+Q,-E` was applied, or why it can't be. */
function withFlags(flags: FormatFlags, changes: string): FormatFlags | string {
  const result = { ...flags };
  if (changes === '') return result;
  for (const change of changes.split(',')) {
    const key = flagNames[change.slice(1)];
    if (key === undefined || (change[0] !== '+' && change[0] !== '-'))
      return `unknown flag '${change}': expected + or - and one of Q (quote), X (hexadecimal), E (escape)`;
    result[key] = change[0] === '+';
  }
  return result;
}

const flagNames: Readonly<Record<string, keyof FormatFlags>> = {
  Q: 'quote',
  X: 'hexadecimal',
  E: 'escape',
  M: 'mandatory',
};
