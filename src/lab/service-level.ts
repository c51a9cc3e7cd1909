/** `--slo outage=500ms,failed=0`: what clients may see at most, in any drill. Pure. */
import { parseDuration } from './drill-file.ts';
import type { ServiceLevel } from './verdict.ts';

/** @returns the levels, or why the text is none. */
export function parseServiceLevel(text: string): ServiceLevel | string {
  let level: ServiceLevel = {};
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [name = '', value = ''] = part.split('=').map((each) => each.trim());
    const failed = Number(value);
    const outageMs = parseDuration(value);
    if (name === 'outage' && outageMs !== undefined) level = { ...level, outageMs };
    else if (name === 'failed' && value !== '' && Number.isInteger(failed) && failed >= 0) level = { ...level, failed };
    else return `--slo: "${part}" is none of outage=<duration> and failed=<number>`;
  }
  return level;
}
