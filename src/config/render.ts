/**
 * Diagnostics as people and programs read them: HAProxy's line `[ALERT] (pid) : config : parsing [file:line] : message`, below it the
 * source line with the offending word underlined and the remedy; or JSON. Both configuration languages use it.
 */
import type { Diagnostic, Severity } from './diagnostic.ts';

export interface RenderOptions {
  /** Printed behind the severity as HAProxy does; left out when undefined. */
  readonly pid?: number;
  /** ANSI colours, for terminals. */
  readonly colours: boolean;
  /** A line of a configuration file, by number from 1; undefined when it is not at hand. */
  sourceLine(file: string, line: number): string | undefined;
}

/** Longest part of a source line that is shown; the underlined word stays in view. */
const shownMax = 140;

const labels: Readonly<Record<Severity, string>> = { alert: '[ALERT]   ', warning: '[WARNING] ', notice: '[NOTICE]  ' };
const colourCodes: Readonly<Record<Severity, string>> = { alert: '1;31', warning: '1;33', notice: '1;36' };

/** One diagnostic as one to four lines, each ending in a line feed. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions): string {
  const { severity, place, message, hint } = diagnostic;
  const paint = (code: string, text: string): string => (options.colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const pid = options.pid === undefined ? '' : ` (${options.pid})`;
  const at = place.line > 0 ? `parsing [${place.file}:${place.line}] : ` : '';
  const lines = [`${paint(colourCodes[severity], labels[severity])}${pid} : config : ${at}${printable(message)}`];
  const source = place.line > 0 ? options.sourceLine(place.file, place.line) : undefined;
  if (source !== undefined) {
    const { text, underline } = excerpt(source, place.column, place.length);
    lines.push(`    ${text}`);
    if (underline !== '') lines.push(`    ${paint(colourCodes[severity], underline)}`);
  }
  if (hint !== undefined) lines.push(`    ${paint('36', 'hint:')} ${printable(hint)}`);
  return `${lines.join('\n')}\n`;
}

/** All of them in the order of the files, worst news not hidden: nothing is left out. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions): string {
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, options)).join('');
}

/** In the order of the files, and in a file from top to bottom; what concerns no line of one comes first. */
export function inOrder(diagnostics: readonly Diagnostic[], files: readonly { readonly path: string }[]): Diagnostic[] {
  const position = new Map(files.map(({ path }, index) => [path, index]));
  const of = ({ place }: Diagnostic) => [position.get(place.file) ?? -1, place.line, place.column] as const;
  return [...diagnostics].sort((one, other) => {
    const [a, b] = [of(one), of(other)];
    return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
  });
}

/** For programs: one JSON array, stable field names (those of `Diagnostic`). */
export function diagnosticsJson(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify(diagnostics, null, 2)}\n`;
}

/** Looks source lines up in the texts that were parsed. */
export function sourceLines(
  files: readonly { readonly path: string; readonly text: string }[],
): RenderOptions['sourceLine'] {
  const split = new Map<string, readonly string[]>();
  return (file, line) => {
    let lines = split.get(file);
    if (lines === undefined) {
      lines = (files.find((one) => one.path === file)?.text ?? '').split(/\r?\n/);
      split.set(file, lines);
    }
    return lines[line - 1];
  };
}

/** The part of a source line that is shown, and the marks below the word at `column` (from 1); no marks with length 0. */
export function excerpt(source: string, column: number, length: number): { text: string; underline: string } {
  const flat = printable(source.replaceAll('\t', ' '));
  const from = column + length > shownMax ? Math.max(0, column - 1 - 40) : 0;
  const text = flat.slice(from, from + shownMax).trimEnd();
  if (length === 0) return { text, underline: '' };
  const start = Math.min(column - 1 - from, text.length);
  return { text, underline: `${' '.repeat(start)}${'^'.repeat(Math.max(1, Math.min(length, text.length - start)))}` };
}

/** Control characters from a file must not reach a terminal. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
}
