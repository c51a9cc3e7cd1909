/**
 * `npm run test:deploy`: what ships, on real engines: containers (test/deploy/containers.ts) and booted machines (machines.ts). Words of
 * the command line choose. Needs root and Debian's docker.io, iptables, systemd-container, mmdebstrap, ansible. What is missing is said,
 * and is a failure unless EVERGATE_SKIP_DEPLOY=1 says that it may be.
 */
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
const wanted = Object.keys(suites).filter((name) => words.length === 0 || words.includes(name));
const files: string[] = [];
for (const name of wanted) {
  const missing = needs(...suites[name]!);
  if (missing === false) files.push(fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
  else {
    console.error(`test:deploy: ${name} cannot be tested here: ${missing}`);
    if (process.env['EVERGATE_SKIP_DEPLOY'] !== '1') process.exitCode = 1;
  }
}
if (files.length > 0) {
  const tests = run({ files, concurrency: 1, timeout: 1_200_000 });
  tests.on('test:fail', () => {
    process.exitCode = 1;
  });
  tests.compose(spec).pipe(process.stdout);
}
