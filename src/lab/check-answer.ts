/** How a stand-in server answers a health check so that it passes. Pure. */
import type { CheckExpectation, CheckPlan } from '../plan/balancer.ts';
import type { HostedService } from './hosted-service.ts';

export interface CheckAnswer {
  readonly check: HostedService['check'];
  /** Why the check may fail all the same. */
  readonly doubt: string | undefined;
}

export function checkAnswer(plan: CheckPlan, title: string): CheckAnswer {
  const expectations = plan.expect === undefined ? [] : [plan.expect, ...plan.expectAlso];
  const [, method = '', path = ''] = /^([A-Z]+) (\S+)/.exec(new TextDecoder('latin1').decode(plan.request)) ?? [];
  if (plan.kind === 'tcp' || method === '') return { check: undefined, doubt: undefined };
  const statuses = [200, 204, ...Array.from({ length: 500 }, (_, i) => 100 + i).filter((code) => code >= 200)];
  const status = statuses.find((code) => expectations.every((each) => statusFits(each, code))) ?? 200;
  const contains = expectations
    .filter(({ negate }) => !negate)
    .map(textFor)
    .join('\n');
  const body = `<title>${title}</title>${contains}`;
  const failing = expectations.find((each) => !textFits(each, body));
  const doubt =
    failing === undefined
      ? undefined
      : `the health check expects ${failing.kind} ${failing.pattern}, which is not made up here`;
  return { check: { method, path, status, contains }, doubt };
}

function statusFits({ kind, negate, statuses, pattern }: CheckExpectation, code: number): boolean {
  if (kind === 'status') return statuses.some(([from, to]) => code >= from && code <= to) !== negate;
  if (kind === 'rstatus') return matches(pattern, String(code)) !== negate;
  return true;
}

function textFits({ kind, negate, pattern }: CheckExpectation, body: string): boolean {
  if (kind === 'string') return body.includes(pattern) !== negate;
  if (kind === 'rstring') return matches(pattern, body) !== negate;
  return true;
}

/** Text that contains what is looked for; of a regular expression, its plainest reading. */
function textFor({ kind, pattern }: CheckExpectation): string {
  if (kind === 'string') return pattern;
  if (kind !== 'rstring') return '';
  const first = pattern.split('|')[0] ?? '';
  return first
    .replace(/\\s[*+]?/g, ' ')
    .replace(/\\d[*+]?/g, '1')
    .replace(/\.[*+]/g, '')
    .replace(/[\^$()?*+]/g, '')
    .replaceAll('\\', '');
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}
