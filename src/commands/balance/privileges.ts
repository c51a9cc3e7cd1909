/** `user` and `group` (or `uid` and `gid`) of `global`: after everything is bound, the process gives up root for good (manual 3.1). */
import type { GlobalPlan } from '../../plan/balancer.ts';

/** @param refused told why, when the user or group can't be taken on: running on as root would be worse than not running. */
export function dropPrivileges(global: GlobalPlan, refused: (text: string) => void): void {
  const user = global.user ?? global.uid?.toString();
  const group = global.group ?? global.gid?.toString();
  // Started as somebody who is not root (a service manager's doing): there is nothing to give up, and nobody else that one could become.
  if (process.getuid?.() !== 0) return;
  try {
    // The group first: without root it could no longer be changed.
    if (group !== undefined) {
      process.setgroups?.([]);
      process.setgid?.(idOrName(group));
    }
    if (user !== undefined) {
      process.setuid?.(idOrName(user));
    }
  } catch (error) {
    const who = [user, group].filter((word) => word !== undefined).join(':');
    refused(
      `Cannot become "${who}" (user, group in global): ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function idOrName(word: string): number | string {
  return /^\d+$/.test(word) ? Number(word) : word;
}
