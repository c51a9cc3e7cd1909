/** If the prober is not trusted, nothing is: it is measured against a server that is stopped for a known time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { defaultLoad, Load, monotonicMs } from './load.ts';
import { longestOutage, type ProbeRecord, type Stall, summarise } from './outage.ts';

const request = (started: number, finished: number, outcome: ProbeRecord['outcome'] = 'ok'): ProbeRecord => ({
  due: started,
  started,
  finished,
  outcome,
  status: outcome === 'ok' ? 200 : 0,
  server: 'one',
  kind: 'new',
});

test('an outage lasts from the first request that is not answered to the first answer', () => {
  const records = [request(0, 1), request(5, 900, 'timeout'), request(10, 910, 'timeout'), request(105, 106)];
  assert.deepEqual(longestOutage(records, []), { from: 5, to: 106, milliseconds: 101 });
});

test('a silence in which nothing was asked is no outage', () => {
  assert.equal(longestOutage([request(0, 1), request(500, 501)], [])?.milliseconds, 1);
});

test("the prober's own sleep before it noticed the answer is not counted", () => {
  const stalls: Stall[] = [{ from: 6, to: 106 }];
  assert.equal(longestOutage([request(0, 1), request(5, 107)], stalls)?.milliseconds, 1);
});

test('a sleep in the middle of a real outage does not shorten it', () => {
  const stalls: Stall[] = [{ from: 20, to: 60 }];
  const records = [request(0, 1), request(5, 905, 'timeout'), request(105, 106)];
  assert.equal(longestOutage(records, stalls)?.milliseconds, 101);
});

test('a service that never answers again is out until the last request gave up', () => {
  const records = [request(0, 1), request(5, 905, 'timeout'), request(10, 910, 'timeout')];
  assert.equal(longestOutage(records, [])?.milliseconds, 905);
});

test('a server that is stopped for exactly 100 ms is reported as out for 100 ms within 10', async () => {
  // The median of three: on a busy machine the server itself may come back late, which no prober can tell from an outage.
  const seen = [await stopOnce(), await stopOnce(), await stopOnce()];
  seen.sort((a, b) => Math.abs(a.reported - a.really) - Math.abs(b.reported - b.really));
  const { really, reported, ownDelay } = seen[1]!;
  assert.ok(
    Math.abs(reported - really) <= 10,
    `stopped for ${really.toFixed(1)} ms, reported ${reported.toFixed(1)} ms (own delay ${ownDelay.toFixed(1)} ms)`,
  );
});

async function stopOnce(): Promise<{ really: number; reported: number; ownDelay: number }> {
  const program = fileURLToPath(new URL('../web-server.ts', import.meta.url));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const port = (probe.address() as { port: number }).port;
  probe.close();
  await once(probe, 'close');
  const server = spawn(
    process.execPath,
    [program, JSON.stringify([{ kind: 'web', title: 'one', host: '127.0.0.1', port }])],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  try {
    await once(server.stdout, 'data');
    const records: ProbeRecord[] = [];
    const stalls: Stall[] = [];
    const load = new Load(
      { ...defaultLoad, host: '127.0.0.1', port, kept: 2 },
      { record: (record) => records.push(record), stall: (stall) => stalls.push(stall), keptClosed: () => {} },
    );
    load.start();
    const answered = async (count: number) => {
      while (records.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await answered(100);
    server.kill('SIGSTOP');
    const stopped = monotonicMs();
    // The stop is timed by spinning on the clock: a timer would be late, and the measure would be wrong by as much.
    const pause = new Promise<number>((resolve) => {
      const turn = () => {
        const now = monotonicMs();
        if (now - stopped < 100) setImmediate(turn);
        else {
          server.kill('SIGCONT');
          resolve(monotonicMs() - stopped);
        }
      };
      turn();
    });
    const really = await pause;
    await answered(records.length + 100);
    await load.stop();
    const summary = summarise(records, stalls);
    assert.equal(summary.failed, 0, JSON.stringify(summary));
    return { really, reported: summary.outageMs, ownDelay: summary.ownDelayMs };
  } finally {
    server.kill('SIGKILL');
  }
}
