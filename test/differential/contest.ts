/** One scenario, HAProxy and the programs under test side by side. */
import { compare } from './compare.ts';
import { observe } from './observe.ts';
import { haproxy, type Program } from './program.ts';
import type { Scenario } from './scenario.ts';

/** A difference that does not come again was the machine's: it is shared, and HAProxy loses races on it as we do. */
const attemptsMax = 3;

export interface Result {
  /** Empty when every program did as HAProxy does. */
  readonly report: string;
  /** Attempts that were needed: 1 unless something differed. */
  readonly attempts: number;
}

export async function contest(scenario: Scenario, programs: readonly Program[]): Promise<Result> {
  let before = '';
  for (let attempts = 1; ; attempts++) {
    // Health checks begin with the program: a script that waited for the others would come in the middle of theirs.
    const together = / check\b/.test(scenario.config) ? undefined : meeting(programs.length + 1);
    const all = [haproxy, ...programs].map((one) => observe(scenario, one, together));
    const [reference, ...tested] = await Promise.all(all);
    const reports = tested.map((observation, index) => {
      const program = programs[index]!;
      const { same, report } = compare(scenario, reference!, observation, program.name);
      if (same) return '';
      const said = observation.lines.length === 1 ? observation.output.trim() : '';
      return `  with ${program.command.join(' ')}\n${report}\n${said}`;
    });
    const report = reports.filter((one) => one !== '').join('\n');
    if (report === '') return { report, attempts };
    before += `attempt ${attempts}\n${report}\n`;
    if (attempts === attemptsMax) return { report: before, attempts };
  }
}

/** A promise for each of `count` parties, which resolves when all have come. */
function meeting(count: number): () => Promise<void> {
  let missing = count;
  const { promise, resolve } = Promise.withResolvers<void>();
  return () => {
    if (--missing === 0) resolve();
    return promise;
  };
}
