/** Ports on loopback for programs that a test starts. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the kernel's own range (net.ipv4.ip_local_port_range begins at 32768): neither a client's connection nor another test's `listen(0)`
 * can be given one of these between our probe and the program's bind.
 */
const firstPort = 10_000;
const lastPort = 32_000;

/**
 * Each process begins elsewhere and never gives a port twice. Balancers bind with SO_REUSEPORT: two that were given the same port would
 * not fail, they would share each other's clients.
 */
let next = firstPort + ((process.pid * 37) % (lastPort - firstPort));

/** @returns `count` different ports on which nobody listened a moment ago, and which no other caller in this process gets. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = next;
    next = next === lastPort ? firstPort : next + 1;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** @returns one port, as {@link freePorts}. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, '0.0.0.0');
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
