/** The findings as a person reads them: what, where with the line of the file, why it matters, what to write instead. */
import type { Diagnostic, Place, Severity } from '../../config/diagnostic.ts';
import { excerpt, printable, type RenderOptions } from '../../config/render.ts';
import type { Finding } from '../../plan/explain/findings/finding.ts';
import { type Paint, pageColumns, type Style, wrap } from './text.ts';

const styles: Readonly<Record<Severity, Style>> = { alert: 'bad', warning: 'warn', notice: 'note' };
const marks: Readonly<Record<Severity, string>> = { alert: '✖ alert', warning: '▲ warning', notice: '● notice' };

export function renderFindings(
  findings: readonly Finding[],
  paint: Paint,
  sourceLine: RenderOptions['sourceLine'],
): string {
  if (findings.length === 0) return `${paint('good', 'No findings.')}\n`;
  const title = `${paint('strong', 'Findings')}\n${paint('dim', '─'.repeat(pageColumns))}\n`;
  return title + findings.map((finding) => `${renderFinding(finding, paint, sourceLine).join('\n')}\n`).join('\n');
}

function renderFinding(finding: Finding, paint: Paint, sourceLine: RenderOptions['sourceLine']): string[] {
  const { severity, place, message, reason, hint, also = [] } = finding;
  return [
    ...head(severity, place, printable(message), paint, sourceLine),
    ...paragraph('why', reason, paint),
    ...(hint === undefined ? [] : paragraph('remedy', hint, paint)),
    ...(also.length === 0 ? [] : paragraph('also', also.map(at).join(', '), paint)),
  ];
}

/** Diagnostics of the parsers, which have no consequence to tell. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  paint: Paint,
  sourceLine: RenderOptions['sourceLine'],
): string {
  return diagnostics
    .map(({ severity, place, message, hint }) => [
      ...head(severity, place, printable(message), paint, sourceLine),
      ...(hint === undefined ? [] : paragraph('hint', printable(hint), paint)),
    ])
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function head(
  severity: Severity,
  place: Place,
  message: string,
  paint: Paint,
  sourceLine: RenderOptions['sourceLine'],
): string[] {
  const lines = [`${paint(styles[severity], marks[severity])}  ${paint('dim', at(place))}`];
  lines.push(...wrap(message, pageColumns - 4).map((line) => `    ${paint('strong', line)}`));
  const source = place.line > 0 ? sourceLine(place.file, place.line) : undefined;
  if (source === undefined) return lines;
  const { text, underline } = excerpt(
    source.trimStart(),
    place.column - (source.length - source.trimStart().length),
    place.length,
  );
  lines.push(`    ${paint('dim', '│')} ${text.slice(0, pageColumns - 8)}`);
  if (underline !== '')
    lines.push(`    ${paint('dim', '│')} ${paint(styles[severity], underline.slice(0, pageColumns - 8))}`);
  return lines;
}

function paragraph(label: string, text: string, paint: Paint): string[] {
  return wrap(text, pageColumns - 11).map(
    (line, index) => `    ${paint('dim', (index === 0 ? label : '').padEnd(6))} ${line}`,
  );
}

function at({ file, line, column }: Place): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}
