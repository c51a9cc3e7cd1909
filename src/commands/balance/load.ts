/** From file names to the balancer's plan: reads the files, asks the resolver for the names in them, and reports everything that is wrong. */
import { lookup } from 'node:dns/promises';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { lookUpIdentity } from '../../adapters/process-user.ts';
import type { Diagnostic } from '../../config/diagnostic.ts';
import { type ConfigFile, parseHaproxy } from '../../config/haproxy/parse.ts';
import { inOrder, renderDiagnostics, sourceLines } from '../../config/render.ts';
import { type IpAddress, parseIp } from '../../core/address.ts';
import type { BalancerPlan } from '../../plan/balancer.ts';
import { namesToResolve } from '../../plan/balancer-world.ts';
import { buildBalancerPlan } from '../../plan/build-balancer.ts';

export interface LoadedBalancerPlan {
  /** Undefined when something is wrong that stops the start. */
  readonly plan: BalancerPlan | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** The diagnostics as a person reads them; empty when there are none. */
  readonly report: string;
}

export type ResolveNames = (names: readonly string[]) => Promise<ReadonlyMap<string, readonly IpAddress[]>>;

/**
 * @param paths files, or folders whose `*.cfg` files are read in order (haproxy(1), -f).
 * @param overrides of the command line (`-n`).
 * @param resolve who knows the addresses of names; by default the machine's resolver. A drill has its own.
 */
export async function loadBalancerPlan(
  paths: readonly string[],
  overrides: { readonly maxconn?: number } = {},
  resolve: ResolveNames = resolveNames,
): Promise<LoadedBalancerPlan> {
  const files: ConfigFile[] = [];
  const found: Diagnostic[] = [];
  for (const path of paths.flatMap((each) => filesOf(each))) {
    try {
      files.push({ path, text: readFileSync(path, 'utf8') });
    } catch (error) {
      found.push(unreadable(path, error));
    }
  }
  const parsed = parseHaproxy(files, Object.entries(process.env) as [string, string][]);
  // What is missing from a file that could not be read is no news of its own.
  const config = { ...parsed.config, damaged: parsed.config.damaged || found.length > 0 };
  found.push(...parsed.diagnostics);
  const built = buildBalancerPlan(config, {
    hostname: hostname(),
    processors: availableParallelism(),
    addresses: await resolve(namesToResolve(config)),
    readFile,
    userId: (name) => lookUpIdentity(name, undefined)?.uid,
    groupId: (name) => lookUpIdentity('0', name)?.gid,
  });
  found.push(...built.diagnostics);
  const diagnostics = inOrder(found, files);
  const refused = diagnostics.some((diagnostic) => diagnostic.severity === 'alert');
  const report = renderDiagnostics(diagnostics, {
    pid: process.pid,
    colours: process.stderr.isTTY === true && (process.env['NO_COLOR'] ?? '') === '',
    sourceLine: sourceLines(files),
  });
  const plan = refused ? undefined : built.plan;
  return { plan: plan === undefined ? undefined : override(plan, overrides), diagnostics, report };
}

function override(plan: BalancerPlan, { maxconn }: { readonly maxconn?: number }): BalancerPlan {
  return maxconn === undefined ? plan : { ...plan, global: { ...plan.global, maxconn } };
}

function filesOf(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch {
    return [path];
  }
  return readdirSync(path)
    .filter((name) => name.endsWith('.cfg') && !name.startsWith('.'))
    .sort()
    .map((name) => join(path, name));
}

function unreadable(path: string, error: unknown): Diagnostic {
  const reason = reasonUnreadable(error);
  const place = { file: path, line: 0, column: 0, length: 0 };
  return {
    severity: 'alert',
    code: 'unreadable-file',
    place,
    message: `Could not open configuration file ${path} : ${reason}`,
  };
}

function readFile(path: string): Uint8Array | string {
  try {
    return readFileSync(path);
  } catch (error) {
    return reasonUnreadable(error);
  }
}

/** The system's words for what people meet, as every program says them. */
export function reasonUnreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'No such file or directory',
    EACCES: 'Permission denied',
    EISDIR: 'Is a directory',
  };
  return known[code ?? ''] ?? message;
}

/** Asks the C library's resolver (`/etc/hosts`, DNS) as HAProxy does at the start. Names without an address are left out. */
async function resolveNames(names: readonly string[]): Promise<ReadonlyMap<string, readonly IpAddress[]>> {
  const found = new Map<string, readonly IpAddress[]>();
  await Promise.all(
    names.map(async (name) => {
      try {
        const addresses = await lookup(name, { all: true, order: 'verbatim' });
        found.set(
          name,
          addresses.map(({ address }) => parseIp(address)).filter((each) => each !== undefined),
        );
      } catch {
        // The plan says at which line the name stands, and what init-addr makes of it.
      }
    }),
  );
  return found;
}
