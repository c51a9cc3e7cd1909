import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { needs } from '../../test/requirements.ts';
import { connectionsAt } from './tcp-connections.ts';

const skip = needs('linux');
/** An address of the loopback network that nothing else here listens on. */
const address = '127.83.11.7';

test('what is open is listed by its four numbers, what listens or is over is not', { skip }, async (t) => {
  const server = createServer({ allowHalfOpen: true }).listen(0, address);
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const mine = async () =>
    (await connectionsAt('ipv4', [Uint8Array.of(127, 83, 11, 7)])).filter(({ localPort }) => localPort === port);
  assert.deepEqual(await mine(), []);
  const client = connect({ port, host: address, allowHalfOpen: true });
  const [accepted] = await once(server, 'connection');
  const open = await mine();
  assert.deepEqual(
    open.map(({ localPort, remotePort }) => [localPort, remotePort]),
    [[port, accepted.remotePort]],
  );
  assert.deepEqual([...open[0]!.remoteAddress], accepted.remoteAddress.split('.').map(Number));
  // Whoever closes first is in TIME-WAIT for a minute.
  accepted.end();
  await once(client.resume(), 'end');
  assert.equal((await mine()).length, 1, 'half closed');
  client.end();
  await once(accepted.resume(), 'close');
  assert.deepEqual(await mine(), []);
});
