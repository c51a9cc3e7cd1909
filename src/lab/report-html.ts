import type { Report } from './report.ts';
export function htmlReport(_: Report): string {
  return '';
}
