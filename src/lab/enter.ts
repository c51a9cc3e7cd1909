/**
 * The lab's outer wall: a program of the lab runs itself again inside network, mount and process namespaces of its own,
 * so that nothing it makes (bridges, addresses, processes) can touch the machine, and everything is gone when it ends,
 * however it ends: the kernel clears what lived in a namespace whose first process died.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants as fsConstants, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { keepDescriptor, keepInstructions } from './keep.ts';

/** How namespaces can be had here: as root, in a user namespace, or why not. */
export type NamespaceAccess = { readonly kind: 'root' | 'user' } | { readonly kind: 'none'; readonly reason: string };

const inside = 'EVERGATE_LAB';

/** Are we inside the lab's own namespaces already? */
export function insideLab(): boolean {
  return process.env[inside] === '1';
}

/** Programs that every lab runs, and the Debian packages that have them. */
const labTools = { unshare: 'util-linux', nsenter: 'util-linux', ip: 'iproute2', sysctl: 'procps' };

/**
 * Tries it out, because what a kernel, a container or a security module forbids can't be read from a version number.
 *
 * @param tools programs that are needed besides, with their Debian packages.
 */
export function namespaceAccess(tools: Readonly<Record<string, string>> = {}): NamespaceAccess {
  if (process.platform !== 'linux') return { kind: 'none', reason: `${process.platform} has no network namespaces` };
  // Where Debian keeps them; sudo and a user's shell may leave it out.
  process.env['PATH'] = `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
  for (const [tool, debianPackage] of Object.entries({ ...labTools, ...tools }))
    if (spawnSync(tool, ['--version']).error !== undefined)
      return { kind: 'none', reason: `the program \`${tool}\` is not installed (Debian: ${debianPackage})` };
  const probe = (args: readonly string[]) => spawnSync('unshare', [...args, ...walls, 'true'], { encoding: 'utf8' });
  if (process.getuid?.() === 0 && probe([]).status === 0) return { kind: 'root' };
  const user = probe(['--user', '--map-root-user']);
  if (user.status === 0) return { kind: 'user' };
  return { kind: 'none', reason: `no root and no user namespaces here (${user.stderr.trim()})` };
}

/** An orderly end takes less, on a busy machine too. */
const orderlyEndMs = 10_000;
const walls = ['--net', '--mount', '--pid', '--fork', '--kill-child'] as const;

/**
 * Runs this very program again inside the walls and ends with its exit status. Ctrl-C and SIGTERM are passed on, so that the
 * inner program ends in its own order; if this outer one is killed, the kernel kills the inner one (`--kill-child`).
 */
export async function enterLab(access: NamespaceAccess): Promise<never> {
  const user = access.kind === 'user' ? ['--user', '--map-root-user'] : [];
  const argv = [...user, ...walls, '--mount-proc', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const stdio: ('inherit' | 'pipe')[] = ['inherit', 'inherit', 'inherit', 'pipe'];
  const child = spawn('unshare', argv, { stdio, env: { ...process.env, ...compileCache(), [inside]: '1' } });
  // The inner program asks to be left running (`--keep`): say how to reach it, and leave.
  createInterface(child.stdio[keepDescriptor] as Readable).on('line', (line) => {
    process.stdout.write(keepInstructions(line, child.pid ?? 0), () => process.exit(0));
  });
  // A terminal sends Ctrl-C to the whole foreground group, so the inner program gets it itself; the others are passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {
    signalInner(child.pid, 'SIGTERM');
    // The first process of a namespace is deaf to what it has no handler for yet (pid_namespaces(7)): it may just be starting.
    setTimeout(() => signalInner(child.pid, 'SIGKILL'), orderlyEndMs).unref();
  });
  const status = await new Promise<number>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    child.on('error', () => resolve(127));
  });
  process.exit(status);
}

/** A cluster starts a dozen programs at a time: Node compiles them once, where there is a place to keep that. */
function compileCache(): Record<string, string> {
  if (process.env['NODE_COMPILE_CACHE'] !== undefined) return {};
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
  const folder = `${modules}/.cache/evergate-lab`;
  try {
    accessSync(modules, fsConstants.W_OK);
    mkdirSync(folder, { recursive: true });
    return { NODE_COMPILE_CACHE: folder };
  } catch {
    return {};
  }
}

/** `unshare --fork` waits for the program it started; the signal is meant for that one. */
function signalInner(unshare: number | undefined, signal: NodeJS.Signals): void {
  if (unshare === undefined) return;
  const children = spawnSync('cat', [`/proc/${unshare}/task/${unshare}/children`], { encoding: 'utf8' }).stdout;
  for (const pid of children.trim().split(/\s+/)) if (pid !== '') process.kill(Number(pid), signal);
}
