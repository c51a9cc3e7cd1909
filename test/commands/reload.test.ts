/** Reloads and stops under load, with real processes: no connection refused or broken, on either adapter. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import { freePort } from '../ports.ts';
import {
  Client,
  defaults,
  folderFor,
  getOnce,
  Load,
  program,
  type Started,
  start,
  webServer,
  write,
} from './loopback.ts';

interface Setting {
  readonly port: number;
  readonly process: Started;
  readonly file: string;
  /** The file with these bind lines and a server that says `body`. */
  readonly text: (binds: readonly number[], body: 'one' | 'two') => string;
}

async function setting(t: TestContext, io: string): Promise<Setting> {
  const servers = { one: await webServer(t, 'one'), two: await webServer(t, 'two') };
  const port = await freePort();
  const text: Setting['text'] = (binds, body) =>
    `global\n nbthread 2\n description ready for the test\n${defaults}
listen web\n${binds.map((each) => ` bind 127.0.0.1:${each}\n`).join('')} server s 127.0.0.1:${servers[body].port}\n`;
  const file = write(folderFor(t), 'haproxy.cfg', text([port], 'one'));
  const process = start(t, program, ['balance', '-f', file, '--io', io]);
  await process.said(/ready for the test/);
  return { port, process, file, text };
}

for (const io of ['uring', 'net']) {
  const skip = io === 'uring' ? (uringAvailable() ?? false) : false;

  test(`${io}: reloads under load cost nobody anything`, { skip, timeout: 60_000 }, async (t) => {
    const { port, process, file, text } = await setting(t, io);
    const load = new Load({ port }, { fresh: 4, kept: 8 });
    await load.more(200);
    for (let i = 0; i < 6; i++) {
      const from = process.output().length;
      writeFileSync(file, text([port], i % 2 === 0 ? 'two' : 'one'));
      process.child.kill(i % 2 === 0 ? 'SIGHUP' : 'SIGUSR2');
      await process.said(/Loading success/, from);
      await load.more(100);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.ok(load.answers.get('one')! > 0 && load.answers.get('two')! > 0);
  });

  test(`${io}: an exchange and a tunnel outlive the reload they meet`, { skip, timeout: 30_000 }, async (t) => {
    const { port, process, file, text } = await setting(t, io);
    const slow = await Client.connect({ port });
    await slow.get('/');
    slow.send('/slow');
    writeFileSync(file, text([port], 'two'));
    process.child.kill('SIGHUP');
    await process.said(/Loading success/);
    assert.equal((await slow.response()).body, 'one');
    assert.equal((await getOnce(port)).body, 'two');
    slow.close();
  });

  test(`${io}: a reload with a bad file changes nothing and says why`, { skip, timeout: 30_000 }, async (t) => {
    const { port, process, file, text } = await setting(t, io);
    const kept = await Client.connect({ port });
    assert.equal((await kept.get('/')).body, 'one');
    writeFileSync(file, text([port], 'two').replace('server s', 'sevrer s'));
    process.child.kill('SIGHUP');
    await process.said(/\[ALERT\][^\n]*haproxy\.cfg:\d+\][^\n]*'sevrer'[\s\S]*Reload refused/);
    assert.equal((await kept.get('/')).body, 'one');
    assert.equal((await getOnce(port)).body, 'one');
    kept.close();
  });

  test(`${io}: a reload can change the addresses, all or none of them`, { skip, timeout: 30_000 }, async (t) => {
    const { port, process, file, text } = await setting(t, io);
    const [second, taken] = [await freePort(), await webServer(t, 'somebody else')];
    writeFileSync(file, text([port, second, taken.port], 'two'));
    process.child.kill('SIGHUP');
    await process.said(new RegExp(`Reload refused: .*127\\.0\\.0\\.1:${taken.port}.*in use`));
    assert.equal((await getOnce(port)).body, 'one');
    await assert.rejects(getOnce(second));

    writeFileSync(file, text([second], 'two'));
    process.child.kill('SIGHUP');
    await process.said(/Loading success/);
    assert.equal((await getOnce(second)).body, 'two');
    await assert.rejects(getOnce(port));
  });

  test(`${io}: USR1 finishes what is under way, takes nothing new, and ends with 0`, {
    skip,
    timeout: 30_000,
  }, async (t) => {
    const { port, process } = await setting(t, io);
    const [slow, idle] = [await Client.connect({ port }), await Client.connect({ port })];
    for (const client of [slow, idle]) await client.get('/');
    slow.send('/slow');
    process.child.kill('SIGUSR1');
    await process.said(/Proxy web stopped/);
    assert.equal(await idle.gone(), 'closed');
    const { status, head } = await slow.response();
    assert.equal(status, 200);
    assert.match(head, /^connection: close/im);
    await assert.rejects(getOnce(port));
    assert.equal(await process.ended(), 0);
  });

  test(`${io}: TERM ends everything at once, with 0`, { skip, timeout: 30_000 }, async (t) => {
    const { port, process } = await setting(t, io);
    const hanging = await Client.connect({ port });
    hanging.send('/hang');
    process.child.kill('SIGTERM');
    assert.equal(await process.ended(), 0);
    await hanging.gone();
    await assert.rejects(getOnce(port));
  });
}
