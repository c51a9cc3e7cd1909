/** vrrp_cpu_affinity, seen in /proc of a process that asked for it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from '../../test/requirements.ts';

const module = fileURLToPath(new URL('process-limits.ts', import.meta.url));

test('processors: every thread of the process, and its scripts', { skip: needs('linux') }, () => {
  const program = `import { readdirSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { pinProcess } from ${JSON.stringify(module)};
const allowed = (path) => /Cpus_allowed_list:\\t(.*)/.exec(readFileSync(path, 'utf8'))[1];
const first = Number(allowed('/proc/self/status').split(/[-,]/)[0]);
const refused = pinProcess([first]) ?? 'nothing';
const unknown = pinProcess([900]);
const threads = readdirSync('/proc/self/task').map((thread) => allowed('/proc/self/task/' + thread + '/status'));
const child = execFileSync('grep', ['Cpus_allowed_list', '/proc/self/status'], { encoding: 'utf8' });
console.log(JSON.stringify({ first: String(first), refused, unknown, threads, child }));`;
  const { first, refused, unknown, threads, child } = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }),
  ) as { first: string; refused: string; unknown: string; threads: string[]; child: string };
  assert.equal(refused, 'nothing');
  assert.match(unknown, /the machine has none of them/);
  assert.ok(threads.length > 1);
  for (const allowed of threads) assert.equal(allowed, first);
  assert.match(child, new RegExp(`\\t${first}\\n$`));
});
