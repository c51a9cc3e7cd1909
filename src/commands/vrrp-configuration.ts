/** From the file's name to the VRRP plan: reads keepalived.conf with what it includes, and asks the machine what the plan wants to know. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { lookUpIdentity } from '../adapters/process-user.ts';
import { lookUpRoutingName } from '../adapters/routing-names.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { parseKeepalived } from '../config/keepalived/parse.ts';
import type { SourceFile, UnreadableFile } from '../config/keepalived/source.ts';
import { buildVrrpPlan } from '../plan/build-vrrp.ts';
import type { VrrpPlan } from '../plan/vrrp.ts';

export interface LoadedVrrpPlan {
  /** Undefined when something is wrong that stops the start. */
  readonly plan: VrrpPlan | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * @param configId for lines that are marked @name; by default the host's name up to the first dot.
 * @param interfaces names of the interfaces that exist; undefined = don't look.
 */
export function loadVrrpPlan(
  file: string,
  configId: string | undefined,
  interfaces: ReadonlySet<string> | undefined,
): LoadedVrrpPlan {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    const place = { file, line: 1, column: 1, length: 0 };
    return {
      plan: undefined,
      diagnostics: [{ severity: 'alert', code: 'unreadable-file', place, message: `cannot read it: ${reason}` }],
    };
  }
  const host = hostname();
  const { config, diagnostics } = parseKeepalived([{ path: file, text }], {
    configId: configId ?? host.split('.')[0] ?? host,
    readFiles,
    random: (min, max) => min + Math.floor(Math.random() * (max - min + 1)),
    variable: (name) => process.env[name],
  });
  const built = buildVrrpPlan(config, {
    hostname: host,
    routingNumber: lookUpRoutingName,
    userExists: (name, group) => lookUpIdentity(name, group) !== undefined,
    ...(interfaces === undefined ? {} : { interfaces }),
  });
  const all = [...diagnostics, ...built.diagnostics];
  const refused = all.some((diagnostic) => diagnostic.severity === 'alert');
  return { plan: refused ? undefined : built.plan, diagnostics: all };
}

/** Keepalived's KEEPALIVED_EXIT_CONFIG_TEST: it would run, but not as written. */
const doubtfulStatus = 5;

/**
 * What `-t` ends with. Keepalived 2.2.7 reports every line that it corrects or leaves out as an error, and scripts that put files in place rely on
 * it: a warning is trouble here too, though the daemon would start.
 */
export function configTestStatus({ plan, diagnostics }: LoadedVrrpPlan): 0 | 1 | 5 {
  if (plan === undefined) return 1;
  return diagnostics.some(({ severity }) => severity === 'warning') ? doubtfulStatus : 0;
}

/** HAProxy's form, which says the place first: `[WARNING] (file:3) : message`. */
export function describeDiagnostic({ severity, place, message, hint }: Diagnostic): string {
  const label = `[${severity.toUpperCase()}]`.padEnd(10);
  return `${label} (${place.file}:${place.line}) : ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

/** Files that an `include` of the file `from` names, relative to it, in the order of their names. */
export function readFiles(pattern: string, from: string): readonly (SourceFile | UnreadableFile)[] {
  const files: (SourceFile | UnreadableFile)[] = [];
  for (const path of globSync(resolve(dirname(from), pattern)).sort()) {
    try {
      files.push(
        statSync(path).isFile() ? { path, text: readFileSync(path, 'utf8') } : { path, problem: 'not a file' },
      );
    } catch (error) {
      files.push({ path, problem: (error as NodeJS.ErrnoException).code ?? String(error) });
    }
  }
  return files;
}
