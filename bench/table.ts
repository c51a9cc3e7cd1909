/** What a run prints on the terminal. */
import { figuresOf, type Measured, ratiosOf, reference } from './results.ts';
import type { Spread } from './statistics.ts';

/** One line for each proxy: medians, and the ratio to HAProxy with its spread over the rounds. */
export function printVariant(measured: readonly Measured[], unit: string): void {
  const base = measured.find(({ peer }) => peer === reference);
  console.log(
    `${''.padEnd(15)} ${`µs CPU/${unit}`.padEnd(34)} ${'per second'.padEnd(26)} ${`p50/p99/p99.9 ms at ${measured[0]?.perSecond}/s`.padEnd(32)} memory`,
  );
  for (const one of measured) {
    const figures = figuresOf(one);
    const ratios = base === undefined ? {} : ratiosOf(one, base);
    const latency = [figures.p50Ms, figures.p99Ms, figures.p999Ms].map((time) => time?.median.toFixed(2)).join('/');
    const alone = figures.p99AloneMs === undefined ? '' : ` (${figures.p99AloneMs.median.toFixed(2)} before)`;
    const failed = (figures.failed?.high ?? 0) > 0 ? ` (up to ${figures.failed!.high} failed)` : '';
    console.log(
      [
        one.peer.padEnd(15),
        `${number(figures.cpuUs)} (user ${number(figures.userUs)}) ${times(ratios.cpuUs)}`.padEnd(34),
        `${figures.perSecond?.median.toFixed(0)} ${times(ratios.perSecond)}`.padEnd(26),
        `${latency} p99 ${times(ratios.p99Ms)}${alone}${failed}`.padEnd(32),
        `${number(figures.memoryMiB)} MiB${figures.idleKiB === undefined ? '' : `, ${number(figures.idleKiB)} KiB an idle connection`}`,
      ].join(' '),
    );
  }
}

function number(spread: Spread | undefined): string {
  return spread === undefined ? '-' : spread.median.toFixed(2);
}

function times(spread: Spread | undefined): string {
  return spread === undefined
    ? ''
    : `×${spread.median.toFixed(2)} [${spread.low.toFixed(2)}–${spread.high.toFixed(2)}]`;
}
