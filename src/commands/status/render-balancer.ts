/** The balancer's part of the status: whether it serves, and two tables. */
import type { BackendStats, FrontendStats, ServerStats } from '../../engine/stats.ts';
import type { BalancerReport } from '../balance/control.ts';
import { age, bytes, type Cell, count, type Paint, type Style, table } from './text.ts';

/** @param before an earlier answer: requests a second are counted from then. */
export function renderBalancer(report: BalancerReport, paint: Paint, before?: BalancerReport): string[] {
  const { process, frontends, backends } = report.stats;
  const state = report.serving
    ? paint('bold', paint('green', 'serving'))
    : `${paint('bold', paint('red', 'not serving'))}: ${report.reason}`;
  const facts = [
    `up ${age(report.wallMs - report.startedWallMs)}`,
    `${count(process.connections)} of ${count(process.connectionsLimit)} connections (at most ${count(process.connectionsMax)}, ${count(process.connectionsTotal)} in all)`,
    `${process.workers.filter(({ alive }) => alive).length} of ${process.workers.length} worker threads`,
  ];
  return [
    `${paint('bold', 'Balancer')}  ${state}  ${paint('dim', `process ${report.pid}, Evergate ${report.version}`)}`,
    `    ${facts.join(', ')}`,
    '',
    ...indented(
      table(
        [
          heads(
            'frontend',
            'mode',
            'status',
            'sessions',
            'most',
            'limit',
            'new/s',
            ...(before === undefined ? [] : ['requests/s']),
            'requests',
            'in',
            'out',
            '4xx',
            '5xx',
          ),
          ...frontends.map((each) => [
            cell(each.pxname),
            cell(each.mode),
            cell(each.status, each.status === 'OPEN' ? 'green' : 'yellow'),
            cell(count(each.scur)),
            cell(count(each.smax)),
            cell(count(each.slim)),
            cell(count(each.rate)),
            ...(before === undefined ? [] : [cell(requestRate(each, report, before))]),
            cell(count(served(each))),
            cell(bytes(each.bin)),
            cell(bytes(each.bout)),
            cell(count(each.hrsp_4xx)),
            cell(count(each.hrsp_5xx), each.hrsp_5xx > 0 ? 'yellow' : undefined),
          ]),
        ],
        3,
        paint,
      ),
    ),
    '',
    ...indented(
      table(
        [
          heads(
            'backend',
            'server',
            'status',
            'check',
            'for',
            'sessions',
            'queue',
            'requests',
            'in',
            'out',
            'errors',
            '5xx',
          ),
          ...backends.flatMap(({ own, servers }) => [backendRow(own), ...servers.map(serverRow)]),
        ],
        4,
        paint,
      ),
    ),
  ];
}

/** Requests, and with TCP connections. */
function served(each: FrontendStats | BackendStats | ServerStats): number {
  return each.mode === 'http' ? each.req_tot : each.stot;
}

/** The same process only: a new one counts from zero. */
function requestRate(each: FrontendStats, report: BalancerReport, before: BalancerReport): string {
  const earlier = before.stats.frontends.find(({ pxname }) => pxname === each.pxname);
  const seconds = (report.wallMs - before.wallMs) / 1000;
  if (earlier === undefined || before.pid !== report.pid || seconds <= 0 || served(each) < served(earlier)) return '';
  return count(Math.round((served(each) - served(earlier)) / seconds));
}

function backendRow(own: BackendStats): Cell[] {
  return [
    cell(own.pxname, 'bold'),
    cell(''),
    cell(own.status, statusStyle(own.status)),
    cell(`${own.act} active, ${own.bck} backup`, 'dim'),
    ...numbers(own),
  ];
}

function serverRow(server: ServerStats): Cell[] {
  const check = server.check_status === '' ? '' : `${server.check_status} in ${server.check_duration} ms`;
  return [
    cell(''),
    cell(server.svname),
    cell(server.status, statusStyle(server.status)),
    cell(check, server.status.startsWith('DOWN') ? 'yellow' : 'dim'),
    ...numbers(server),
  ];
}

function numbers(each: BackendStats | ServerStats): Cell[] {
  const errors = each.econ + each.eresp;
  return [
    cell(age(each.lastchg * 1000).replace('.0 s', ' s')),
    cell(count(each.scur)),
    cell(count(each.qcur), each.qcur > 0 ? 'yellow' : undefined),
    cell(count(served(each))),
    cell(bytes(each.bin)),
    cell(bytes(each.bout)),
    cell(count(errors), errors > 0 ? 'yellow' : undefined),
    cell(count(each.hrsp_5xx), each.hrsp_5xx > 0 ? 'yellow' : undefined),
  ];
}

function statusStyle(status: string): Style {
  if (status === 'UP' || status === 'no check') return 'green';
  return status.startsWith('DOWN') ? 'red' : 'yellow';
}

function heads(...titles: readonly string[]): Cell[] {
  return titles.map((text) => cell(text, 'dim'));
}

function cell(text: string, style?: Style): Cell {
  return { text, style };
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `    ${line}`);
}
