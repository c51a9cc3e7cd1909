/** Where the VRRP daemon writes: pid files and dumps, under Keepalived's names unless the configuration or the command line says otherwise. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { VrrpGlobalPlan } from '../plan/vrrp.ts';

export interface PidOptions {
  readonly pid?: string;
  readonly vrrpPid?: string;
}

/** `instance` and `use_pid_dir` put them into /run/keepalived; without any word or option none is written. */
export function pidFiles(options: PidOptions, plan: VrrpGlobalPlan): string[] {
  const { instanceName, usePidDirectory } = plan;
  const suffix = instanceName === undefined ? '' : `_${instanceName}`;
  const named = (name: string) =>
    usePidDirectory || instanceName !== undefined ? `/run/keepalived/${name}${suffix}.pid` : undefined;
  const files = [options.pid ?? named('keepalived'), options.vrrpPid ?? named('vrrp')];
  return files.filter((file) => file !== undefined);
}

/** Readable by all, as service managers want it, whatever `umask` says. @returns why it failed, or undefined. */
export function writePidFile(path: string): string | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(path, `${process.pid}\n`);
    chmodSync(path, 0o644);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const extension = { state: 'data', stats: 'stats', json: 'json' } as const;

/** A dump's file: a location that ends in / is a folder, another the whole name. */
export function dumpFile(kind: 'state' | 'stats' | 'json', plan: VrrpGlobalPlan): string {
  const location = plan.dumpFiles[kind] ?? '/tmp/';
  if (!location.endsWith('/')) return location;
  // Keepalived tells only .data files of several daemons apart.
  const own = kind === 'state' && plan.dumpFilesUseInstance ? [plan.networkNamespace, plan.instanceName] : [];
  return `${location}${['keepalived', ...own.filter((part) => part !== undefined), extension[kind]].join('.')}`;
}
