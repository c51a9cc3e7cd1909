import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineLevel, shouldLog } from './policy.ts';
import type { LogRecord } from './record.ts';
import { type FrameTarget, facilities, SyslogFramer, severities } from './syslog.ts';

const target: FrameTarget = {
  facility: facilities.indexOf('local0'),
  level: severities.debug,
  minLevel: severities.emerg,
  format: 'local',
  length: 80,
  tag: 'haproxy',
  hostname: '',
  sample: undefined,
};
const text = Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz012345678922/Nov/2026');
const wallMs = Date.UTC(2026, 10, 22, 7, 53, 52, 846) + 0.839;

function message(change: Partial<FrameTarget>, level: keyof typeof severities = 'info', zone = () => 0): string {
  const framer = new SyslogFramer({ ...target, ...change }, 10859, zone);
  const out = new Uint8Array(2048);
  return Buffer.from(out.subarray(1, framer.frame(severities[level], wallMs, text, 0, text.length, out, 1))).toString();
}

test('each format as HAProxy 2.6.12 sent it, cut to len', () => {
  assert.equal(message({}), '<134>Nov 22 07:53:52 haproxy[10859]: abcdefghijklmnopqrstuvwxyz0123456789abcdefg\n');
  assert.equal(
    message({ format: 'rfc3164', facility: facilities.indexOf('local1') }),
    '<142>Nov 22 07:53:52 localhost haproxy[10859]: abcdefghijklmnopqrstuvwxyz0123456\n',
  );
  assert.equal(
    message({ format: 'rfc3164', hostname: 'bob' }),
    '<134>Nov 22 07:53:52 bob haproxy[10859]: abcdefghijklmnopqrstuvwxyz0123456789abc\n',
  );
  assert.equal(
    message({ format: 'rfc5424', length: 120 }),
    '<134>1 2026-11-22T07:53:52.846839+00:00 - haproxy 10859 - - abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwx\n',
  );
  assert.equal(
    message({ format: 'priority' }),
    '<134>abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz012345678922/\n',
  );
  assert.equal(
    message({ format: 'short' }),
    '<6>abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz012345678922/No\n',
  );
  assert.equal(
    message({ format: 'timed' }),
    '<6>2026-11-22T07:53:52.846839+00:00 abcdefghijklmnopqrstuvwxyz0123456789abcdefgh\n',
  );
  assert.equal(
    message({ format: 'iso' }),
    '2026-11-22T07:53:52.846839+00:00 abcdefghijklmnopqrstuvwxyz0123456789abcdefghijk\n',
  );
  assert.equal(
    message({ format: 'raw' }),
    'abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz012345678922/Nov/2\n',
  );
});

test('dates: padded day, local zone, leap day', () => {
  assert.match(
    message({ format: 'iso' }, 'info', () => 330),
    /^2026-11-22T13:23:52\.846839\+05:30 /,
  );
  const framer = new SyslogFramer(target, 1, () => 0);
  const out = new Uint8Array(200);
  const at = (ms: number) =>
    Buffer.from(out.subarray(0, framer.frame(severities.info, ms, text, 0, 1, out, 0))).toString();
  assert.equal(at(Date.UTC(2024, 1, 29, 23, 59, 59, 999)), '<134>Feb 29 23:59:59 haproxy[1]: a\n');
  assert.equal(at(Date.UTC(2024, 2, 1)), '<134>Mar  1 00:00:00 haproxy[1]: a\n');
});

test('civil dates agree with the system for three centuries', () => {
  const framer = new SyslogFramer({ ...target, format: 'iso' }, 1, () => 0);
  const out = new Uint8Array(200);
  for (let ms = Date.UTC(1970, 0, 1); ms < Date.UTC(2250, 0, 1); ms += 86_400_000 * 3.37) {
    const end = framer.frame(severities.info, Math.floor(ms), text, 0, 0, out, 0);
    const expected = new Date(Math.floor(ms)).toISOString().replace('Z', '000+00:00 \n');
    assert.equal(Buffer.from(out.subarray(0, end)).toString(), expected);
  }
});

test('levels: the filter, and the cap of severe ones', () => {
  const framer = new SyslogFramer({ ...target, level: severities.notice }, 1, () => 0);
  assert.equal(framer.accepts(severities.info), false);
  assert.equal(framer.accepts(severities.notice), true);
  assert.ok(message({ minLevel: severities.notice }, 'alert').startsWith('<133>'));
  assert.ok(message({ minLevel: severities.notice }, 'info').startsWith('<134>'));
});

test('sampling takes the lines of its ranges', () => {
  const sampled = new SyslogFramer(
    {
      ...target,
      sample: {
        ranges: [
          [1, 1],
          [3, 4],
        ],
        size: 5,
      },
    },
    1,
    () => 0,
  );
  const taken = Array.from({ length: 10 }, () => (sampled.accepts(severities.info) ? 'x' : '.')).join('');
  assert.equal(taken, 'x.xx.x.xx.');
});

test('a header longer than len is cut too', () => {
  assert.equal(message({ tag: 't'.repeat(200) }).length, 81);
});

test('which lines are written, and how severe they are', () => {
  const policy = { dontLogNull: true, dontLogNormal: true, logSeparateErrors: true };
  const none = { dontLogNull: false, dontLogNormal: false, logSeparateErrors: false };
  const normal = { terminationCause: '-', status: 200, retries: 0, redispatched: false } as LogRecord;
  assert.equal(shouldLog(none, normal, false), true);
  assert.equal(shouldLog({ ...none, dontLogNull: true }, normal, false), false);
  assert.equal(shouldLog(policy, normal, true), false);
  assert.equal(shouldLog(policy, { ...normal, terminationCause: 'L' }, true), false);
  assert.equal(lineLevel(policy, normal), severities.info);
  for (const wrong of [{ status: 503 }, { retries: 1 }, { redispatched: true }, { terminationCause: 'C' }]) {
    assert.equal(shouldLog(policy, { ...normal, ...wrong }, true), true);
    assert.equal(lineLevel(policy, { ...normal, ...wrong }), severities.err);
    assert.equal(lineLevel(none, { ...normal, ...wrong }), severities.info);
  }
});
