/** `evergate check`: which kind of file it is, and everything that is wrong with it. */
import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../config/diagnostic.ts';
import { type ConfigurationKind, configurationKind } from '../config/kind.ts';
import { inOrder, renderDiagnostics, sourceLines } from '../config/render.ts';
import { loadBalancerPlan, reasonUnreadable } from './balance/load.ts';
import { loadVrrpPlan } from './vrrp-configuration.ts';

export interface CheckOptions {
  readonly json?: boolean;
}

interface Checked {
  readonly file: string;
  readonly kind: ConfigurationKind | 'unreadable' | 'unknown';
  readonly diagnostics: readonly Diagnostic[];
}

/** Ends with status 0 when every file would be accepted, 1 otherwise. */
export async function check(files: readonly string[], options: CheckOptions): Promise<void> {
  const results: Checked[] = [];
  for (const file of files) results.push(await checkOne(file));
  if (options.json === true) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  else process.stdout.write(`${results.map(describe).join('\n')}${summary(results)}`);
  if (results.some((result) => refused(result))) process.exitCode = 1;
}

async function checkOne(file: string): Promise<Checked> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return {
      file,
      kind: 'unreadable',
      diagnostics: [alert(file, 'unreadable-file', `${file} cannot be read: ${reasonUnreadable(error)}`)],
    };
  }
  const kind = configurationKind(text);
  if (kind === undefined) {
    const message =
      'neither a haproxy.cfg (no section such as `frontend`) nor a keepalived.conf (no block such as `vrrp_instance name {`)';
    return { file, kind: 'unknown', diagnostics: [alert(file, 'syntax', message)] };
  }
  const { diagnostics } =
    kind === 'haproxy' ? await loadBalancerPlan([file]) : loadVrrpPlan(file, undefined, undefined);
  return { file, kind, diagnostics: inOrder(diagnostics, [{ path: file }]) };
}

function alert(file: string, code: Diagnostic['code'], message: string): Diagnostic {
  return { severity: 'alert', code, place: { file, line: 0, column: 0, length: 0 }, message };
}

function refused({ diagnostics }: Checked): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'alert');
}

/** With several files: how many of them would not do. */
function summary(results: readonly Checked[]): string {
  if (results.length < 2) return '';
  const count = results.filter((result) => refused(result)).length;
  if (count === 0) return `\nAll ${results.length} files are valid.\n`;
  return `\n${count} of ${results.length} files would be refused.\n`;
}

const kindNames = {
  haproxy: "HAProxy's configuration",
  keepalived: "Keepalived's configuration",
  unreadable: 'not readable',
  unknown: 'of no kind that is known here',
} as const;

function describe(result: Checked): string {
  const { file, kind, diagnostics } = result;
  const count = (severity: Diagnostic['severity']) => diagnostics.filter((each) => each.severity === severity).length;
  const alerts = count('alert');
  const warnings = count('warning');
  const verdict =
    alerts > 0
      ? `${alerts} error${alerts === 1 ? '' : 's'}`
      : warnings > 0
        ? `valid, ${warnings} warning${warnings === 1 ? '' : 's'}`
        : 'valid';
  const texts = kind === 'haproxy' || kind === 'keepalived' ? [{ path: file, text: readFileSync(file, 'utf8') }] : [];
  const report = renderDiagnostics(diagnostics, {
    colours: process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '',
    sourceLine: sourceLines(texts),
  });
  return `${file}: ${kindNames[kind]}: ${verdict}\n${report}`;
}
