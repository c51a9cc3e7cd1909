import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { needs } from '../../test/requirements.ts';

const skip = needs('linux');
const module = JSON.stringify(import.meta.resolve('./process-exit.ts'));

function run(program: string) {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    { encoding: 'utf8' },
  );
  return { status, stdout };
}

test('a process that yields has all of its threads at the lowest nice value', { skip }, () => {
  const { stdout } = run(`
    import { readdirSync, readFileSync } from 'node:fs';
    import { yieldProcessors } from ${module};
    yieldProcessors();
    // proc(5), stat: the 19th field, counted behind the name.
    const nice = (thread) => readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').split(') ').at(-1).split(' ')[16];
    console.log(readdirSync('/proc/self/task').map(nice).join(' '));`);
  const values = stdout.trim().split(' ');
  assert.ok(values.length > 1);
  assert.deepEqual([...new Set(values)], ['19']);
});

test('a process ends at once, with its status, whatever its threads do, and what it said is there', { skip }, () => {
  const { status, stdout } = run(`
    import { Worker } from 'node:worker_threads';
    import { exitAtOnce } from ${module};
    process.on('exit', () => console.log('exit'));
    const worker = new Worker('import { parentPort } from "node:worker_threads"; parentPort.postMessage(0); for (;;);', { eval: true });
    worker.on('message', () => {
      console.log('said');
      exitAtOnce(3);
    });`);
  assert.equal(status, 3);
  assert.equal(stdout, 'said\n');
});
