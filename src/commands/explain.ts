/** `evergate explain`: who is active in which failure, why and after how long, and what is wrong with the files; before it happens. */
import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../config/diagnostic.ts';
import { sourceLines } from '../config/render.ts';
import { explain as explainCluster } from '../plan/explain/explain.ts';
import { joinSame } from '../plan/explain/findings/all.ts';
import type { Finding } from '../plan/explain/findings/finding.ts';
import { renderDiagnostics, renderFindings } from './explain/findings.ts';
import { explanationJson } from './explain/json.ts';
import { loadFiles } from './explain/load.ts';
import { countOf, renderRouters } from './explain/page.ts';
import { painter } from './explain/text.ts';

export interface ExplainOptions {
  readonly json?: boolean;
}

/** Ends with status 0 when nothing worse than a notice was found, 1 otherwise. */
export function explain(files: readonly string[], options: ExplainOptions): void {
  const loaded = loadFiles(files);
  const explanation = explainCluster(loaded.nodes, loaded.balancer);
  const findings = joinSame([...loaded.findings, ...explanation.findings]);
  const diagnostics = unsaid(loaded.diagnostics, findings);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(explanationJson(explanation, findings, diagnostics), null, 2)}\n`);
  } else {
    const paint = painter(process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '');
    const sourceLine = sourceLines(texts([...findings, ...diagnostics].map(({ place }) => place.file)));
    const parts = [
      renderRouters(explanation, paint),
      renderFindings(findings, paint, sourceLine),
      renderDiagnostics(diagnostics, paint, sourceLine),
      `${verdict([...findings, ...diagnostics])}\n`,
    ];
    process.stdout.write(parts.filter((part) => part !== '').join('\n'));
  }
  if ([...findings, ...diagnostics].some(({ severity }) => severity !== 'notice')) process.exitCode = 1;
}

/** What the parsers said and no finding says better; their notices are `evergate check`'s affair. */
function unsaid(diagnostics: readonly Diagnostic[], findings: readonly Finding[]): Diagnostic[] {
  const places = findings.flatMap(({ place, also = [] }) => [place, ...also]);
  return diagnostics.filter(
    ({ severity, place }) =>
      severity !== 'notice' && !places.some(({ file, line }) => file === place.file && line === place.line),
  );
}

function texts(files: readonly string[]): { path: string; text: string }[] {
  return [...new Set(files)].flatMap((path) => {
    try {
      return [{ path, text: readFileSync(path, 'utf8') }];
    } catch {
      return [];
    }
  });
}

function verdict(all: readonly Diagnostic[]): string {
  const counts = (['alert', 'warning', 'notice'] as const).map((severity) => {
    const count = countOf(all, severity);
    return `${count} ${severity}${count === 1 ? '' : 's'}`;
  });
  return counts.join(', ');
}
