/** A TCP port in this network namespace that leads to a socket file: `door.ts port path`. Says one line when it is open. */
import { connect, createServer } from 'node:net';

const [port, path] = process.argv.slice(2);
createServer((client) => {
  const onward = connect(path!);
  client.on('error', () => onward.destroy()).on('close', () => onward.destroy());
  onward.on('error', () => client.destroy()).on('close', () => client.destroy());
  client.pipe(onward);
  onward.pipe(client);
}).listen(Number(port), () => process.stdout.write('open\n'));
