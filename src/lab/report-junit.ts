/** The session as JUnit XML, one test case a drill, for CI. Pure. */
import type { Report } from './report.ts';

export function junitReport({ engine, summaries, results, notPlayed }: Report): string {
  const cases = summaries.map(({ drill, passed, trials, reasons, outageMs, failed }) => {
    const runs = results.filter(({ observation }) => observation.drill === drill);
    const seconds = runs.reduce((sum, { observation }) => sum + (observation.to - observation.from) / 1000, 0);
    const head = `  <testcase classname="drill.${escaped(engine.name)}" name="${escaped(drill.title)}" time="${seconds.toFixed(3)}">`;
    const out = `    <system-out>outage ${Math.round(outageMs.median)} ms, failed ${failed.median} (median of ${trials})</system-out>`;
    const failure =
      passed === trials
        ? []
        : [`    <failure message="${escaped(reasons[0] ?? '')}">${escaped(reasons.join('\n'))}</failure>`];
    return [head, ...failure, out, '  </testcase>'].join('\n');
  });
  const skipped = notPlayed.map(
    ({ drill, why }) =>
      `  <testcase classname="drill.${escaped(engine.name)}" name="${escaped(drill.title)}"><skipped message="${escaped(why)}"/></testcase>`,
  );
  const failures = summaries.filter(({ passed, trials }) => passed < trials).length;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="evergate drill" tests="${cases.length + skipped.length}" failures="${failures}" errors="0" skipped="${skipped.length}">
${[...cases, ...skipped].join('\n')}
</testsuite>
`;
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character]!);
}
