/** Servers whose names are resolved again while the balancer runs, with a name server on loopback. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { freePort } from '../ports.ts';
import { defaults, folderFor, getOnce, program, type Started, start, webServer, write } from './loopback.ts';

/** What the name server says: addresses by name; a name that is missing does not exist; undefined = no answer at all. */
type Zone = Map<string, readonly string[] | undefined>;

/** A name server for A records (RFC 1035 §4). @returns its port. */
async function nameServer(t: TestContext, zone: Zone): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    let end = 12;
    const labels: string[] = [];
    for (let length = query[end]!; length > 0; length = query[end]!) {
      labels.push(query.toString('latin1', end + 1, end + 1 + length));
      end += 1 + length;
    }
    const question = query.subarray(12, end + 5);
    const name = labels.join('.').toLowerCase();
    if (zone.has(name) && zone.get(name) === undefined) return;
    const isA = query.readUInt16BE(end + 1) === 1;
    const addresses = isA ? (zone.get(name) ?? []) : [];
    const head = Buffer.from([
      query[0]!,
      query[1]!,
      0x85,
      zone.has(name) ? 0x80 : 0x83,
      0,
      1,
      0,
      addresses.length,
      0,
      0,
      0,
      0,
    ]);
    const answers = addresses.map((address) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
    );
    socket.send(Buffer.concat([head, question, ...answers]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket.address().port;
}

interface Setting {
  readonly zone: Zone;
  readonly port: number;
  readonly process: Started;
  readonly file: string;
  readonly text: string;
}

/** Two web servers, `one` on 127.0.0.1 and `two` on 127.0.0.2, at the same port, and a balancer in front. */
async function setting(
  t: TestContext,
  addresses: readonly string[],
  servers: (port: number) => string,
): Promise<Setting> {
  const one = await webServer(t, 'one');
  await webServer(t, 'two', '127.0.0.2', one.port);
  const zone: Zone = new Map([['app.test', addresses]]);
  const dns = await nameServer(t, zone);
  const port = await freePort();
  const text = `global\n nbthread 1\n description ready for the test
resolvers local
 nameserver own 127.0.0.1:${dns}
 timeout resolve 100ms
 timeout retry 100ms
 resolve_retries 1
 hold valid 100ms
 hold nx 300ms
 hold timeout 300ms
${defaults}
listen web\n bind 127.0.0.1:${port}\n balance roundrobin\n${servers(one.port)}\n`;
  const file = write(folderFor(t), 'haproxy.cfg', text);
  const process = start(t, program, ['balance', '-f', file]);
  await process.said(/ready for the test/);
  return { zone, port, process, file, text };
}

const oneServer = (port: number) => ` server s app.test:${port} resolvers local resolve-prefer ipv4 init-addr none`;

test('a name that gets an address, another one, and none', { timeout: 20_000 }, async (t) => {
  const { zone, port, process } = await setting(t, ['127.0.0.1'], oneServer);
  await process.said(/Server web\/s \('app\.test'\) is UP.*\(resolves again\)/);
  assert.equal((await getOnce(port)).body, 'one');

  zone.set('app.test', ['127.0.0.2']);
  await process.said(/web\/s changed its IP from 127\.0\.0\.1 to 127\.0\.0\.2 by local\./);
  assert.equal((await getOnce(port)).body, 'two');

  // A name that is gone counts only when it stays away for `hold nx`.
  zone.delete('app.test');
  await process.said(/Server web\/s is going DOWN for maintenance \(DNS NX status\)/);
  assert.equal((await getOnce(port)).status, 503);

  const before = process.output().length;
  zone.set('app.test', ['127.0.0.1']);
  await process.said(/resolves again/, before);
  assert.equal((await getOnce(port)).body, 'one');
});

test('a name server that falls silent', { timeout: 20_000 }, async (t) => {
  const { zone, process } = await setting(t, ['127.0.0.1'], oneServer);
  await process.said(/resolves again/);
  zone.set('app.test', undefined);
  await process.said(/Server web\/s is going DOWN for maintenance \(DNS timeout status\)/);
});

test('server-template: each server has an address of its own', { timeout: 20_000 }, async (t) => {
  const { zone, port, process } = await setting(
    t,
    ['127.0.0.1', '127.0.0.2'],
    (serverPort) => ` server-template s 1-3 app.test:${serverPort} resolvers local resolve-prefer ipv4 init-addr none`,
  );
  await process.said(/Server web\/s1 .*resolves again[\s\S]*Server web\/s2 .*resolves again/);
  const bodies = [await getOnce(port), await getOnce(port)].map(({ body }) => body);
  assert.deepEqual(bodies.sort(), ['one', 'two']);
  zone.set('app.test', ['127.0.0.2']);
  await process.said(/Server web\/s1 is going DOWN for maintenance \(No IP for server\)/);
  for (let i = 0; i < 3; i++) assert.equal((await getOnce(port)).body, 'two');
});

test('a reload keeps the addresses that were found', { timeout: 20_000 }, async (t) => {
  const { zone, port, process, file, text } = await setting(t, ['127.0.0.2'], oneServer);
  await process.said(/resolves again/);
  // From now on nobody answers: whoever starts anew has no address.
  zone.set('app.test', undefined);
  writeFileSync(file, text.replaceAll('300ms', '1h'));
  process.child.kill('SIGHUP');
  await process.said(/Loading success/);
  assert.equal((await getOnce(port)).body, 'two');
});
