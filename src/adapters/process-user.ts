/** Users, groups and the safety of scripts: who runs a command, and whether somebody else could have written it. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command, CommandInspection } from '../engine/ports/scripts.ts';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** @returns numbers of the user and the group (its own when none is named), or undefined when either doesn't exist. */
export function lookUpIdentity(user: string, group: string | undefined): Identity | undefined {
  const fields = /^\d+$/.test(user) ? ['', '', user, user] : entry('passwd', user);
  if (fields === undefined) return undefined;
  const uid = Number(fields[2]);
  if (group === undefined) return { uid, gid: Number(fields[3]) };
  const gid = /^\d+$/.test(group) ? group : entry('group', group)?.[2];
  return gid === undefined ? undefined : { uid, gid: Number(gid) };
}

/** The line of /etc/passwd or /etc/group; other sources of names (LDAP …) are asked by getent(1). */
function entry(file: 'passwd' | 'group', name: string): readonly string[] | undefined {
  try {
    for (const line of readFileSync(`/etc/${file}`, 'utf8').split('\n'))
      if (line.startsWith(`${name}:`)) return line.split(':');
  } catch {
    // Unreadable: getent may still know.
  }
  const asked = spawnSync('getent', [file, name], { encoding: 'utf8', timeout: 2_000 });
  return asked.status === 0 ? asked.stdout.trim().split(':') : undefined;
}

/** Where the program is, whether its user can start it, and whether only root could have changed it. */
export function inspectCommand(command: Command): CommandInspection {
  const program = command.argv[0] ?? '';
  const path = program.includes('/') ? program : searchPath(program);
  if (path === undefined) return { path: undefined, searched: true, problem: 'not found', insecure: undefined };
  const searched = path !== program;
  try {
    const file = statSync(path);
    if (!file.isFile()) return { path, searched, problem: 'not a file', insecure: undefined };
    const identity = lookUpIdentity(command.user, command.group);
    if (identity === undefined)
      return { path, searched, problem: `user ${command.user} does not exist`, insecure: undefined };
    const supplementary = command.supplementaryGroups === true ? supplementaryGroups(command.user) : [];
    if (givesSupplementaryGroups(command) && searchPath(setpriv) === undefined)
      return {
        path,
        searched,
        problem: `${setpriv} (util-linux) is needed for supplementary groups`,
        insecure: undefined,
      };
    const problem = mayExecute(file, identity, supplementary) ? undefined : 'not executable';
    return { path, searched, problem, insecure: identity.uid === 0 ? whoElseCouldWrite(path) : undefined };
  } catch (error) {
    return { path, searched, problem: (error as NodeJS.ErrnoException).code ?? 'unreadable', insecure: undefined };
  }
}

/** A program that is started under another user (libuv) has no supplementary groups, and no call to give it some: this one gives them and becomes it. */
const setpriv = 'setpriv';

/** Who is not root runs every script as itself. */
export function givesSupplementaryGroups(command: Command): boolean {
  return command.supplementaryGroups === true && process.getuid?.() === 0;
}

export function withSupplementaryGroups(argv: readonly string[], { uid, gid }: Identity): readonly string[] {
  return [setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--', ...argv];
}

function supplementaryGroups(user: string): readonly number[] {
  const asked = spawnSync('id', ['-G', user], { encoding: 'utf8', timeout: 2_000 });
  return asked.status === 0 ? asked.stdout.trim().split(' ').map(Number) : [];
}

function searchPath(program: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin').split(
    ':',
  )) {
    const path = `${folder}/${program}`;
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

function mayExecute(file: Stats, identity: Identity, supplementary: readonly number[]): boolean {
  if (identity.uid === 0) return (file.mode & 0o111) !== 0;
  if (file.uid === identity.uid) return (file.mode & 0o100) !== 0;
  return (file.mode & ([identity.gid, ...supplementary].includes(file.gid) ? 0o010 : 0o001)) !== 0;
}

/** keepalived.conf(5) enable_script_security: no part of the path may be writable by anyone but root. */
function whoElseCouldWrite(path: string): string | undefined {
  for (let part = realpathSync(path); ; part = dirname(part)) {
    const facts = statSync(part);
    const sticky = facts.isDirectory() && (facts.mode & constants.S_IFMT) !== 0 && (facts.mode & 0o1000) !== 0;
    if (facts.uid !== 0) return `${part} belongs to user ${facts.uid}`;
    if ((facts.mode & 0o002) !== 0 && !sticky) return `${part} is writable by everybody`;
    if ((facts.mode & 0o020) !== 0 && facts.gid !== 0) return `${part} is writable by group ${facts.gid}`;
    if (part === '/') return undefined;
  }
}
