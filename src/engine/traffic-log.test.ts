import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balancerPlan, frontendPlan } from '../../test/fixtures/balancer-plan.ts';
import { neutralContext } from '../core/log/format.ts';
import { severities } from '../core/log/syslog.ts';
import type { LogTarget } from '../plan/balancer.ts';
import { lineBytesMax } from './ports/logs.ts';
import type { Clock } from './ports/time.ts';
import { ExchangeRecord } from './proxy/record.ts';
import { TrafficLog } from './traffic-log.ts';

const clock: Clock = { now: () => 0, wall: () => 0, alarm: () => ({ set: () => {}, clear: () => {} }) };

const target: LogTarget = {
  to: { kind: 'fd', fd: 1 },
  facility: 16,
  level: severities.debug,
  minLevel: severities.emerg,
  format: 'short',
  length: 1024,
  tag: 'haproxy',
  hostname: '',
  sample: undefined,
};

/** The lines that targets get of a request with each status. */
function lines(targets: readonly Partial<LogTarget>[], format: string, statuses: readonly number[]): string[] {
  const pages = targets.map(() => ({ bytes: new Uint8Array(lineBytesMax + 100), end: 0 }));
  const plan = {
    ...balancerPlan(
      [],
      [
        frontendPlan(0, {
          log: {
            targets: targets.map((_, index) => index),
            format,
            logAsap: false,
            dontLogNull: false,
            dontLogNormal: false,
            logSeparateErrors: true,
          },
        }),
      ],
    ),
    logTargets: targets.map((change) => ({ ...target, ...change })),
  };
  const sink = {
    page: (index: number) => pages[index]!,
    commit: (index: number, end: number) => {
      pages[index]!.end = end;
    },
  };
  const log = new TrafficLog(plan, clock, sink, neutralContext);
  const record = new ExchangeRecord();
  for (const status of statuses) {
    record.status = status;
    log.exchange(0, 0, record, true);
  }
  return pages.map(({ bytes, end }) => Buffer.from(bytes.subarray(0, end)).toString());
}

test('a line for one target is written after those that wait there already', () => {
  assert.deepEqual(lines([{}], 'status %ST', [200, 404]), ['<6>status 200\n<6>status 404\n']);
});

test('several targets get the line in their own frame and length, those that want its level', () => {
  assert.deepEqual(lines([{ length: 8 }, { format: 'raw' }, { level: severities.err }], 'status %ST', [200, 503]), [
    '<6>statu\n<3>statu\n',
    'status 200\nstatus 503\n',
    '<3>status 503\n',
  ]);
});

test('a line is cut to the length of its target, and the next begins behind it', () => {
  assert.deepEqual(lines([{ length: 11 }], 'status %ST', [200, 404]), ['<6>status 2\n<6>status 4\n']);
});

test('lines that nobody took are counted (%lc)', () => {
  const sample = { ranges: [[2, 2]], size: 2 } as const;
  assert.deepEqual(lines([{ sample }], '%lc', [200, 200, 200, 200]), ['<6>1\n<6>3\n']);
  assert.deepEqual(lines([{ sample }, { level: severities.err }], '%lc', [200, 503]), ['<3>1\n', '<3>1\n']);
});
