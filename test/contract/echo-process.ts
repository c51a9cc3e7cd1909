/** A process that echoes: `node echo-process.ts net|uring` prints its port. */
import { bindListener } from '../../src/adapters/listener.ts';
import { netStreams } from '../../src/adapters/net.ts';
import { uringWorld } from '../../src/adapters/uring/streams.ts';
import type { StreamHandler } from '../../src/engine/ports/streams.ts';

const streams = process.argv[2] === 'uring' ? uringWorld().streams : netStreams();
const socket = bindListener({
  address: { family: 'ipv4', host: '127.0.0.1', port: 0 },
  backlog: 0,
});
streams.listen(socket, { keepAlive: false }, (stream): StreamHandler => {
  return {
    opened() {},
    received: (buffer, start, end) => {
      stream.write(buffer, start, end);
    },
    drained() {},
    ended: () => stream.close(),
    closed() {},
  };
});
console.log(socket.address.family === 'unix' ? '' : socket.address.port);
