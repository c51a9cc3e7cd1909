/**
 * Runs differential scenarios by hand:
 *
 *   node test/differential/run.ts [--show] [--self] [--io net|uring] [--program 'command …'] [name…]
 *
 * `--show` prints what HAProxy does; `--self` compares HAProxy with itself, which proves a scenario's steadiness; `--io` takes one
 * adapter instead of both; `--program` takes any command that accepts a configuration file as its last argument.
 * Names may be parts of names. A difference is looked at again, twice.
 */
import { parseArgs } from 'node:util';
import { contest } from './contest.ts';
import { loadScenarios } from './load.ts';
import { observe } from './observe.ts';
import { evergate, haproxy, type Program } from './program.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    show: { type: 'boolean' },
    self: { type: 'boolean' },
    io: { type: 'string' },
    program: { type: 'string' },
  },
});

let different = 0;
const scenarios = await loadScenarios(positionals);
for (const [name, scenario] of scenarios) {
  if (values.show) {
    const { lines, output } = await observe(scenario, haproxy);
    console.log(`${name}: ${scenario.title}\n${lines.map((line) => `  ${line}`).join('\n')}`);
    if (lines[0]?.startsWith('exited')) console.log(output);
    continue;
  }
  const { report, attempts } = await contest(scenario, programs());
  const verdict = report !== '' ? 'DIFFERENT' : attempts === 1 ? 'same     ' : `same (${attempts}) `;
  console.log(`${verdict} ${name}: ${scenario.title}`);
  if (report === '') continue;
  different++;
  console.log(report);
}
if (!values.show) console.log(`${scenarios.size} scenarios, ${different} different`);
process.exitCode = different === 0 ? 0 : 1;

function programs(): Program[] {
  if (values.self) return [{ ...haproxy, name: 'again' }];
  if (values.program !== undefined) return [{ name: 'tested', command: values.program.split(/\s+/) }];
  if (values.io === 'net' || values.io === 'uring') return [evergate(values.io)];
  return [evergate('net'), evergate('uring')];
}
