/** Where the VRRP daemon writes: pid files and dumps, under Keepalived's names unless the configuration or the command line says otherwise. */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import type { VrrpGlobalPlan } from '../plan/vrrp.ts';

export interface PidOptions {
  readonly pid?: string;
  readonly vrrpPid?: string;
  readonly asKeepalived?: boolean;
}

/**
 * `instance` and `use_pid_dir` put them into /run/keepalived. Without any word or option a daemon that was started as `keepalived` writes where
 * Keepalived does, and any other none; nor does one in a network namespace of its own, whose Keepalived hides them from all others.
 */
export function pidFiles(options: PidOptions, plan: VrrpGlobalPlan): string[] {
  const { instanceName, usePidDirectory, networkNamespace } = plan;
  const suffix = instanceName === undefined ? '' : `_${instanceName}`;
  const named = (name: string) => {
    if (usePidDirectory || instanceName !== undefined) return `/run/keepalived/${name}${suffix}.pid`;
    return options.asKeepalived === true && networkNamespace === undefined ? `/run/${name}.pid` : undefined;
  };
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

/** What the daemon answers with a dump. SIGJSON is SIGRTMIN + 2 of glibc: Node has no name for it. */
export const dumpSignal = { state: constants.signals.SIGUSR1, stats: constants.signals.SIGUSR2, json: 36 } as const;

const extension = { state: 'data', stats: 'stats', json: 'json' } as const;

/** A dump's file: a location that ends in / is a folder, another the whole name. */
export function dumpFile(kind: 'state' | 'stats' | 'json', plan: VrrpGlobalPlan): string {
  const location = plan.dumpFiles[kind] ?? '/tmp/';
  if (!location.endsWith('/')) return location;
  // Keepalived tells only .data files of several daemons apart.
  const own = kind === 'state' && plan.dumpFilesUseInstance ? [plan.networkNamespace, plan.instanceName] : [];
  return `${location}${['keepalived', ...own.filter((part) => part !== undefined), extension[kind]].join('.')}`;
}

/**
 * Writes a dump with the rights that `umask` leaves: by default for its owner only. A new file takes the name in one go: a reader finds the whole
 * of it or of the one before, and what another user put there in a folder open to all, a link to /etc/passwd or a file that they own, is replaced
 * and not written to. (Keepalived does the same.) Devices stay what they are. @returns why it failed, or undefined.
 */
export function writeDump(path: string, text: string): string | undefined {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.isCharacterDevice()) {
      writeFileSync(path, text);
      return undefined;
    }
    writeFileSync(fresh, text, { flag: 'wx' });
    renameSync(fresh, path);
    return undefined;
  } catch (error) {
    rmSync(fresh, { force: true });
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
