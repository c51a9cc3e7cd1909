/**
 * Hand-overs outlive the daemon: which routers an operator took out of service, and since when, in a small file of the run directory. A daemon
 * that is started again (an upgrade, a crash) must not take an address back from maintenance.
 *
 * The control socket is an abstract name by default and belongs to the network namespace; so does the file, by the namespace's cookie, which no
 * other namespace gets while the machine runs. A socket with a path has the file beside it.
 */
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { libc, linux } from './libc.ts';

/** Structurally engine/failover's HandoverStore. */
export interface HandoverFile {
  load(): { readonly router: string; readonly sinceWallMs: number }[];
  /** In words why it could not be kept; undefined: it is. */
  save(kept: readonly { readonly router: string; readonly sinceWallMs: number }[]): string | undefined;
}

/** unix(7), socket(7): Linux 5.14. */
const SO_NETNS_COOKIE = 71;
/** A name and a time for each router: thousands of them. */
const bytesMax = 1 << 20;

/** @param socket where the daemon's control socket is: a path, or `@name`. @param runDirectory for abstract names. */
export function handoverFile(
  socket: string,
  runDirectory = process.env.RUNTIME_DIRECTORY?.split(':')[0] ?? '/run/evergate',
): HandoverFile {
  const path = socket.startsWith('@')
    ? join(runDirectory, `${socket.slice(1).replaceAll('/', '_')}.${namespaceCookie()}.handover`)
    : join(dirname(socket), `${basename(socket)}.handover`);
  return {
    load: () => {
      try {
        const { size, uid } = lstatSync(path);
        const ours = uid === 0 || uid === process.getuid?.();
        return ours && size <= bytesMax ? understood(JSON.parse(readFileSync(path, 'utf8'))) : [];
      } catch {
        // None, or cut short by a full disk: then the operator says it again.
        return [];
      }
    },
    save: (kept) => {
      try {
        if (kept.length === 0) {
          rmSync(path, { force: true });
          return undefined;
        }
        mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
        const next = `${path}.next`;
        rmSync(next, { force: true });
        writeFileSync(next, `${JSON.stringify(kept)}\n`, { mode: 0o600, flag: 'wx', flush: true });
        renameSync(next, path);
        return undefined;
      } catch (error) {
        return `${path}: ${(error as NodeJS.ErrnoException).code ?? error}`;
      }
    },
  };
}

function understood(parsed: unknown) {
  const entries: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
  return entries.flatMap((entry) => {
    const { router, sinceWallMs } = (entry ?? {}) as { readonly router?: unknown; readonly sinceWallMs?: unknown };
    return typeof router === 'string' && typeof sinceWallMs === 'number' ? [{ router, sinceWallMs }] : [];
  });
}

/** Before Linux 5.14, and where there is no libc: 0, one file for all namespaces. */
function namespaceCookie(): bigint {
  const c = libc();
  const fd = c?.socket(linux.AF_UNIX, linux.SOCK_DGRAM | linux.SOCK_CLOEXEC, 0) ?? -1;
  if (c === undefined || fd < 0) return 0n;
  const cookie = new Uint8Array(8);
  const failed = c.getsockopt(fd, linux.SOL_SOCKET, SO_NETNS_COOKIE, cookie, Uint8Array.of(8, 0, 0, 0)) < 0;
  c.close(fd);
  return failed ? 0n : new DataView(cookie.buffer).getBigUint64(0, true);
}
