/**
 * The prober as a program of its own, so that it can run in a client's namespace and is not delayed by what its reader does.
 * `node program.ts '<LoadPlan as JSON>'`: one JSON array a line on standard output, until standard input ends; see `parseLine`.
 */
import { ownMachine } from '../own-machine.ts';
import type { LoadPlan } from './load.ts';
import { Load } from './load.ts';

ownMachine();

const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan;
let lines = '';
const print = (line: readonly unknown[]) => {
  if (lines === '') setImmediate(flush);
  lines += `${JSON.stringify(line)}\n`;
};
const flush = () => {
  process.stdout.write(lines);
  lines = '';
};

const load = new Load(plan, {
  record: (r) =>
    print(['r', r.due, r.started, r.finished, r.outcome, r.status, r.server, r.kind, r.onUsedConnection === true]),
  stall: (s) => print(['s', s.from, s.to]),
  keptClosed: () => print(['c']),
});
load.start();
process.stdin.resume();
process.stdin.on('end', async () => {
  await load.stop();
  // What a slow reader has not taken yet stands in a queue here: the program ends when the last line has left.
  process.stdout.write(lines, () => process.exit(0));
  lines = '';
});
// Ctrl-C reaches every program of the terminal's foreground group; the lab ends this one in its own order.
process.on('SIGINT', () => {});
