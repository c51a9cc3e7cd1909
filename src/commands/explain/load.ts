/** Files of other machines into what `explain` needs: nothing is asked of the machine that explains (users, interfaces, names). */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Diagnostic } from '../../config/diagnostic.ts';
import { parseHaproxy } from '../../config/haproxy/parse.ts';
import { parseKeepalived } from '../../config/keepalived/parse.ts';
import { configurationKind } from '../../config/kind.ts';
import { buildVrrpPlan } from '../../plan/build-vrrp.ts';
import type { NodeFile } from '../../plan/explain/cluster.ts';
import type { BalancerFile } from '../../plan/explain/findings/balancer.ts';
import { findDuplicates } from '../../plan/explain/findings/duplicates.ts';
import type { Finding } from '../../plan/explain/findings/finding.ts';
import { readFiles } from '../vrrp-configuration.ts';

export interface LoadedFiles {
  readonly nodes: readonly NodeFile[];
  readonly balancer: BalancerFile | undefined;
  /** What the parsers and the plan's builder say. An alert: that file is no part of the explanation. */
  readonly diagnostics: readonly Diagnostic[];
  /** Findings in files of which no plan can be made. */
  readonly findings: readonly Finding[];
}

export function loadFiles(paths: readonly string[]): LoadedFiles {
  const nodes: NodeFile[] = [];
  const diagnostics: Diagnostic[] = [];
  const findings: Finding[] = [];
  const balancers: { path: string; text: string }[] = [];
  const files: { path: string; text: string; configId: string | undefined }[] = [];
  for (const written of paths) {
    const { path, configId } = fileArgument(written);
    const text = read(path, diagnostics);
    if (text === undefined) continue;
    const kind = configurationKind(text);
    if (kind === 'haproxy') balancers.push({ path, text });
    else if (kind === 'keepalived') files.push({ path, text, configId });
    else diagnostics.push(alert(path, 'syntax', 'neither a haproxy.cfg nor a keepalived.conf'));
  }
  const ids = files.map(({ configId }) => configId);
  const named = ids.every((id) => id !== undefined) && new Set(ids).size === ids.length;
  const names = named ? ids : nodeNames(files.map(({ path }) => path));
  for (const [index, { path, text, configId }] of files.entries()) {
    const loaded = loadNode(path, text, names[index]!, configId);
    diagnostics.push(...loaded.diagnostics);
    findings.push(...loaded.findings);
    if (loaded.node !== undefined) nodes.push(loaded.node);
  }
  return { nodes, balancer: loadBalancer(balancers, diagnostics), diagnostics, findings };
}

/** `keepalived.conf@lb1`: what node lb1 reads in a file that all share, where lines are marked `@lb1` (keepalived -i). */
export function fileArgument(written: string): { readonly path: string; readonly configId: string | undefined } {
  const at = written.lastIndexOf('@');
  if (at < 1 || existsSync(written) || !existsSync(written.slice(0, at))) return { path: written, configId: undefined };
  return { path: written.slice(0, at), configId: written.slice(at + 1) };
}

/** @param configId for lines that are marked @name; where none is given, the node's name. */
function loadNode(path: string, text: string, name: string, configId: string | undefined) {
  const parsed = parseKeepalived([{ path, text }], {
    configId: configId ?? name,
    readFiles,
    random: (min) => min,
    variable: (variable) => process.env[variable],
  });
  const built = buildVrrpPlan(parsed.config, { hostname: name });
  const diagnostics = [...parsed.diagnostics, ...built.diagnostics];
  const refused = built.plan === undefined || diagnostics.some(({ severity }) => severity === 'alert');
  const node = refused ? undefined : { name, file: path, plan: built.plan, config: parsed.config };
  return { node, diagnostics, findings: findDuplicates(parsed.config, built.diagnostics) };
}

/** The config alone: names in it need not be known here. */
function loadBalancer(files: readonly { path: string; text: string }[], diagnostics: Diagnostic[]) {
  const [first] = files;
  if (first === undefined) return undefined;
  const parsed = parseHaproxy(files, Object.entries(process.env) as [string, string][]);
  diagnostics.push(...parsed.diagnostics);
  return { file: first.path, config: parsed.config };
}

function read(path: string, diagnostics: Diagnostic[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    diagnostics.push(alert(path, 'unreadable-file', `cannot be read: ${(error as Error).message}`));
    return undefined;
  }
}

function alert(file: string, code: Diagnostic['code'], message: string): Diagnostic {
  return { severity: 'alert', code, place: { file, line: 0, column: 0, length: 0 }, message };
}

/**
 * The files' names without ending and without the words that all begin with (keepalived-active, keepalived-passive); their folders' where
 * the files are called the same (lb1/keepalived.conf, lb2/keepalived.conf).
 */
export function nodeNames(paths: readonly string[]): string[] {
  const bare = (path: string) => basename(path).replace(/\.[^.]*$/, '');
  const candidates = [bare, (path: string) => basename(dirname(path)), (path: string) => path];
  const unique = candidates.find((name) => new Set(paths.map(name)).size === paths.length);
  if (unique === undefined) return paths.map((path, index) => `${path}#${index + 1}`);
  const names = paths.map(unique);
  if (names.length < 2) return names;
  const words = names.map((name) => name.split(/(?<=[-_.])/));
  let common = 0;
  while (words.every((each) => each.length > common + 1 && each[common] === words[0]![common])) common++;
  return words.map((each) => each.slice(common).join(''));
}
