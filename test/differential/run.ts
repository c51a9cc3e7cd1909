/**
 * Runs differential scenarios by hand:
 *
 *   node test/differential/run.ts [--show] [--self] [--program 'command …'] [name…]
 *
 * `--show` prints what HAProxy does; `--self` compares HAProxy with itself, which proves a scenario's steadiness;
 * `--program` takes any command that accepts a configuration file as its last argument. Names may be parts of names.
 */
import { parseArgs } from 'node:util';
import { compare } from './compare.ts';
import { loadScenarios } from './load.ts';
import { observe } from './observe.ts';
import { evergate, haproxy, type Program } from './program.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { show: { type: 'boolean' }, self: { type: 'boolean' }, program: { type: 'string' } },
});

const tested: Program | undefined = values.self
  ? { ...haproxy, name: 'again' }
  : values.program !== undefined
    ? { name: 'tested', command: values.program.split(/\s+/) }
    : evergate;

let different = 0;
const scenarios = await loadScenarios(positionals);
for (const [name, scenario] of scenarios) {
  if (values.show) {
    const { lines, output } = await observe(scenario, haproxy);
    console.log(`${name}: ${scenario.title}\n${lines.map((line) => `  ${line}`).join('\n')}`);
    if (lines[0]?.startsWith('exited')) console.log(output);
    continue;
  }
  const [reference, other] = await Promise.all([observe(scenario, haproxy), observe(scenario, tested)]);
  const verdict = compare(scenario, reference, other, tested.name);
  console.log(`${verdict.same ? 'same     ' : 'DIFFERENT'} ${name}: ${scenario.title}`);
  if (verdict.same) continue;
  different++;
  console.log(verdict.report);
  if (other.lines.length === 1) console.log(other.output.trim());
}
if (!values.show) console.log(`${scenarios.size} scenarios, ${different} different`);
process.exitCode = different === 0 ? 0 : 1;
