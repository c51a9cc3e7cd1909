/** vrrp_rt_priority and vrrp_priority, seen in /proc of a process that asked for them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from '../../test/requirements.ts';

const module = fileURLToPath(new URL('process-priority.ts', import.meta.url));

/** What a fresh process reads about itself after asking. */
function afterAsking(request: string): { refused: string[]; stat: string; child: string } {
  const program = `import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { raisePriority } from ${JSON.stringify(module)};
const refused = raisePriority(${request});
const own = (name) => readFileSync('/proc/self/' + name, 'utf8');
const child = execFileSync('cat', ['/proc/self/stat'], { encoding: 'utf8' });
console.log(JSON.stringify({ refused, stat: own('stat'), child }));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }));
}

/** Fields of proc(5)'s stat, counted from 1. */
const field = (stat: string, number: number) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[number - 3]);

test('real time, which scripts do not inherit; nice', { skip: needs('linux', 'root') }, () => {
  const asked = afterAsking('{ realtimePriority: 7, processPriority: 0 }');
  assert.deepEqual(asked.refused, []);
  assert.deepEqual([field(asked.stat, 40), field(asked.stat, 41)], [7, 2], 'SCHED_RR at 7');
  assert.deepEqual([field(asked.child, 40), field(asked.child, 41)], [0, 0], 'a child is ordinary');
  assert.equal(field(afterAsking('{ realtimePriority: 0, processPriority: -5 }').stat, 19), -5);
});

test('what is refused is said', { skip: needs('linux') }, () => {
  assert.deepEqual(afterAsking('{ realtimePriority: 1000, processPriority: 0 }').refused, [
    'Unable to set realtime priority 1000: EINVAL',
  ]);
});
