/** `npm run sim`: schedules of faults against the very machines that run on the wire, in virtual time. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Schedule } from './vrrp/schedule.ts';
import { type Failure, shrink } from './vrrp/shrink.ts';
import { scheduleFor, simulatedMs } from './vrrp/trouble.ts';
import { runSchedule } from './vrrp/world.ts';

const usage = `Usage: npm run sim -- [options]

Plays schedules of faults against the very machines that run on the wire, in virtual time.

  (nothing)          20,000 schedules from a new seed
  --count 1000000    more of them
  --seed 4711        one schedule, told step by step
  --from 4711        starting at that seed instead of a new one
  --file F.json      a kept schedule, told step by step
  --keep             a failure's shrunk schedule goes to sim/vrrp/regressions/
  --help             this text

The exit status is 1 when an invariant was broken, 2 when an option is not understood.`;

const values = readOptions();

if (values.help) console.log(usage);
else if (values.file !== undefined) tell(JSON.parse(readFileSync(values.file, 'utf8')).schedule);
else if (values.seed !== undefined) tell(scheduleFor(wholeNumber('seed', values.seed)));
else
  search(wholeNumber('count', values.count), values.from === undefined ? newSeed() : wholeNumber('from', values.from));

function search(count: number, from: number): void {
  console.log(`${count} schedules of ${simulatedMs / 1000} simulated seconds, seeds ${from} to ${from + count - 1}`);
  const started = performance.now();
  for (let seed = from; seed < from + count; seed++) {
    const schedule = scheduleFor(seed);
    const violation = runSchedule(schedule);
    if (violation === undefined) continue;
    report(shrink({ schedule, violation }), seed);
    return;
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `no invariant broken in ${seconds.toFixed(1)} s: ${Math.round((count / seconds) * 60)} schedules a minute`,
  );
}

function report({ schedule, violation }: Failure, seed: number): void {
  process.exitCode = 1;
  console.log(`seed ${seed} breaks ${violation.invariant} at ${violation.at.toFixed(3)} ms: ${violation.text}`);
  console.log(`again: npm run sim -- --seed ${seed}\nshrunk to:`);
  console.log(JSON.stringify(schedule, undefined, 2));
  if (!values.keep) return;
  const file = new URL(`vrrp/regressions/${violation.invariant}-${seed}.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify({ violation, schedule }, undefined, 2)}\n`);
  console.log(`kept as ${file.pathname}`);
}

function tell(schedule: Schedule): void {
  console.log(JSON.stringify({ nodes: schedule.nodes, network: schedule.network }, undefined, 2));
  const violation = runSchedule(schedule, { tell: (at, text) => console.log(`${at.toFixed(3).padStart(10)} ${text}`) });
  if (violation === undefined) {
    console.log('no invariant broken');
    return;
  }
  process.exitCode = 1;
  console.log(`${violation.invariant} broken at ${violation.at.toFixed(3)} ms: ${violation.text}`);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error(`--${name} ${text}: a whole number is wanted`);
  process.exit(2);
}

function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        count: { type: 'string', default: '20000' },
        seed: { type: 'string' },
        from: { type: 'string' },
        file: { type: 'string' },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}
