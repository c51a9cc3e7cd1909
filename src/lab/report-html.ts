/**
 * The session as one page that needs nothing else: for each drill a timeline with every request as a dot, the nodes' states as bands, the
 * fault and the reactions, prediction against observation. Pure; the drawing is done by report-page-script.ts in the reader's browser.
 */
import type { ProbeRecord } from './prober/outage.ts';
import type { Report, TrialResult } from './report.ts';
import { pageScript } from './report-page-script.ts';
import { pageStyle } from './report-page-style.ts';
import type { Summary } from './verdict.ts';

export function htmlReport(report: Report): string {
  const { summaries, engine, cluster, trials } = report;
  const passed = summaries.filter((summary) => summary.passed === summary.trials).length;
  const shown = summaries.map((summary) => shownTrial(report, summary));
  const { topology, standIns } = cluster;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(engine.version)}: ${passed} of ${summaries.length} drills passed</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header>
<h1>${passed === summaries.length ? 'Every drill passed' : `${passed} of ${summaries.length} drills passed`}</h1>
<p>${escaped(engine.version)} behind ${escaped(topology.virtualAddress)}:${topology.port}, on ${list(topology.nodes.map(({ name }) => name))};
${trials > 1 ? `${trials} trials of each drill: the median, and the worst in brackets; the timeline is of the worst trial.` : 'one trial of each drill.'}</p>
</header>
${overview(summaries, trials > 1)}
${summaries.map((summary, i) => section(summary, shown[i]!, i, trials > 1)).join('\n')}
<section class="notes">
<h2>How to read this</h2>
<p>Each dot is a request, where it was sent and how long its answer took; its colour says who answered. A red cross got no answer, or the wrong one.
The bands show what each node believed to be; the line below a band shows when it held the virtual address. The outage is the longest time in which a client
who asked got no answer; the prober's own delays are measured and not counted.</p>
${standIns.length === 0 ? '' : `<h2>What stood in for something else</h2><ul>${standIns.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`}
<p class="quiet">${escaped(report.version)}</p>
</section>
</main>
<div id="tip" role="status" hidden></div>
<script type="application/json" id="data">${json(
    shown.map((result, i) =>
      timeline(
        result,
        topology.nodes.map(({ name }) => name),
        i,
      ),
    ),
  )}</script>
<script>${pageScript}</script>
</body>
</html>
`;
}

/** The worst trial tells most. */
function shownTrial({ results }: Report, { drill }: Summary): TrialResult {
  const own = results.filter(({ observation }) => observation.drill === drill);
  return own.reduce((worst, each) => (badness(each) > badness(worst) ? each : worst));
}

function badness({ verdict }: TrialResult): number {
  return (verdict.passed ? 0 : 1e9) + verdict.failed * 1000 + verdict.outageMs;
}

function overview(summaries: readonly Summary[], many: boolean): string {
  const rows = summaries.map((summary, i) => {
    const { drill, outageMs, failed, passed, trials } = summary;
    const well = passed === trials;
    const mark = `<span class="${well ? 'good' : 'bad'}">${well ? '✔' : '✘'}</span>`;
    return `<tr><td>${mark} <a href="#drill-${i}">${escaped(drill.title)}</a></td><td>${spread(ms(outageMs.median), ms(outageMs.worst), many)}</td><td>${predicted(summary)}</td><td>${spread(String(failed.median), String(failed.worst), many)}</td></tr>`;
  });
  return `<section><div class="wide"><table class="overview"><thead><tr><th>drill</th><th>outage</th><th>predicted</th><th>failed</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div></section>`;
}

function section(summary: Summary, { observation, verdict }: TrialResult, i: number, many: boolean): string {
  const { drill, outageMs, failed, keptLost, bothHeldMs, passed, trials, reasons } = summary;
  const well = passed === trials;
  const chip = `<span class="chip ${well ? 'good' : 'bad'}">${well ? 'passed' : many ? `${passed} of ${trials} passed` : 'not passed'}</span>`;
  const figure = (value: string, label: string, bad = false) =>
    `<div class="figure${bad ? ' bad' : ''}"><b>${value}</b><span>${label}</span></div>`;
  const how = Object.entries(verdict.failures).map(([kind, count]) => `${count} ${kind}`);
  return `<section class="drill" id="drill-${i}">
<h2>${escaped(drill.title)} ${chip}</h2>
${drill.about === '' ? '' : `<p>${escaped(drill.about)}</p>`}
<div class="figures">
${figure(spread(ms(outageMs.median), ms(outageMs.worst), many), 'outage')}
${figure(predicted(summary), 'predicted')}
${figure(spread(String(failed.median), String(failed.worst), many), `of ${Math.round(summary.requests).toLocaleString('en')} requests failed${how.length === 0 ? '' : `<br>${escaped(how.join(', '))}`}`, failed.worst > 0)}
${figure(bothHeldMs.worst < 1 ? 'never' : ms(bothHeldMs.worst), 'two nodes held the address')}
${keptLost.worst > 0 ? figure(String(keptLost.worst), 'kept connections lost between requests') : ''}
</div>
${reasons.map((reason) => `<p class="reason">${escaped(reason)}</p>`).join('')}
<canvas data-drill="${i}" role="img" aria-label="Timeline: ${escaped(
    observation.marks
      .map(({ at, node, text }) => `${Math.round(at)} ms ${node} ${text}`)
      .slice(0, 12)
      .join('; '),
  )}"></canvas>
<div class="legend" data-legend="${i}"></div>
<details><summary>Events and predictions</summary>
${observation.predictions.map(({ step, active, outageMaxMs, formula, seen, held }) => `<p><span class="${held ? 'good' : 'bad'}">${held ? '✔' : '✘'}</span> ${escaped(step)}: predicted ${list(active)}, ${outageMaxMs === undefined ? 'an outage until it is repaired' : `an outage of at most ${ms(outageMaxMs)}`} (${escaped(formula)}); seen ${list(seen)}</p>`).join('\n')}
<ol>${observation.marks.map(({ at, kind, node, text }) => `<li class="${kind}"><time>${(at / 1000).toFixed(3)} s</time> ${kind === 'step' ? '' : `${escaped(node)} `}${escaped(text)}</li>`).join('')}</ol></details>
</section>`;
}

const outcomes: readonly ProbeRecord['outcome'][] = [
  'ok',
  'refused',
  'reset',
  'closed',
  'timeout',
  'unreachable',
  'status',
  'garbled',
];

/** What the script draws. Requests are rows of sent, milliseconds, outcome, server, kept. */
function timeline({ observation, verdict }: TrialResult, nodes: readonly string[], drill: number) {
  const servers = [...new Set(observation.records.map(({ server }) => server).filter((each) => each !== ''))].sort();
  return {
    drill,
    from: observation.from,
    to: observation.to,
    nodes,
    servers,
    outcomes,
    requests: observation.records.map(({ started, finished, outcome, server, kind }) => [
      round(started),
      round(finished - started),
      outcomes.indexOf(outcome),
      servers.indexOf(server),
      kind === 'new' ? 0 : 1,
    ]),
    states: observation.states.map(({ node, from, to, text }) => [nodes.indexOf(node), round(from), round(to), text]),
    holdings: observation.holdings.map(({ node, from, to }) => [nodes.indexOf(node), round(from), round(to)]),
    steps: observation.marks.filter(({ kind }) => kind === 'step').map(({ at, text }) => [round(at), text]),
    outage:
      verdict.outageFrom === undefined || (verdict.failed === 0 && verdict.outageMs < outageShownMs)
        ? undefined
        : [round(verdict.outageFrom), round(verdict.outageFrom + verdict.outageMs)],
    limits: observation.predictions
      .filter(({ outageMaxMs }) => outageMaxMs !== undefined && outageMaxMs > 0)
      .map(({ at, outageMaxMs }) => [round(at), round(at + (outageMaxMs ?? 0))]),
  };
}

/** A gap this short is an answer's latency. */
const outageShownMs = 25;

function predicted({ outageMaxMs }: Summary): string {
  return outageMaxMs === undefined ? 'until repaired' : outageMaxMs === 0 ? 'none' : `≤ ${ms(outageMaxMs)}`;
}

function spread(median: string, worst: string, many: boolean): string {
  return many ? `${median} <small>(${worst})</small>` : median;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'nobody' : escaped(names.join(' and '));
}

function ms(milliseconds: number): string {
  return `${Math.round(milliseconds).toLocaleString('en')} ms`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** JSON that can't end the script element that holds it. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character]!);
}
