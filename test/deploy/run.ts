/**
 * `npm run test:deploy`: what ships, on real engines: containers (test/deploy/containers.ts) and booted machines (machines.ts). Words of
 * the command line choose. Needs root and Debian's docker.io, iptables, systemd-container, mmdebstrap, ansible. What is missing is said,
 * and is a failure unless EVERGATE_SKIP_DEPLOY=1 says that it may be.
 */
import { once } from 'node:events';
import { constants } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { needs } from '../requirements.ts';

const suites: Readonly<Record<string, readonly string[]>> = {
  containers: ['root', 'namespaces', 'dockerd', 'docker', 'iptables', 'mmdebstrap', 'nsenter'],
  machines: [
    'root',
    'namespaces',
    'systemd-nspawn',
    'mmdebstrap',
    'ansible-playbook',
    'ansible-lint',
    'yamllint',
    'ssh',
    'ssh-keygen',
    'nsenter',
  ],
};

const words = process.argv.slice(2);
const unknown = words.filter((word) => !(word in suites));
if (unknown.length > 0) {
  console.error(`test:deploy: ${unknown.join(', ')}? There are ${Object.keys(suites).join(' and ')}.`);
  process.exit(2);
}
const files: string[] = [];
for (const [name, required] of Object.entries(suites)) {
  if (words.length > 0 && !words.includes(name)) continue;
  const missing = needs(...required);
  if (missing === false) files.push(fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
  else {
    console.error(`test:deploy: ${name} cannot be tested here: ${missing}`);
    if (process.env['EVERGATE_SKIP_DEPLOY'] !== '1') process.exitCode = 1;
  }
}

// The tests tidy up when they are told to end; a runner that just ended would leave them running.
const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    process.exitCode = 128 + constants.signals[signal];
    ended.abort();
  });

/** Runs the files one after the other, prints as they go, and returns those in which something failed. */
async function pass(which: readonly string[]): Promise<string[]> {
  if (which.length === 0) return [];
  const failed = new Set<string>();
  const tests = run({ files: [...which], concurrency: 1, timeout: 1_800_000, signal: ended.signal });
  tests.on('test:fail', (event) => failed.add(event.file ?? which[0] ?? ''));
  const printed = tests.compose(spec);
  printed.pipe(process.stdout, { end: false });
  await once(printed, 'end');
  return [...failed];
}

let failed = await pass(files);
if (failed.length > 0 && !ended.signal.aborted) {
  // Clients are watched while a machine fails: a busy host can spoil that once. A mistake stays.
  console.log(`\nFailed, and run once more: ${failed.join(', ')}\n`);
  failed = await pass(failed);
}
if (failed.length > 0) process.exitCode ||= 1;
