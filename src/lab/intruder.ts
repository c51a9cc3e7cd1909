/** A stranger on the wire: a second group with the same VRID and another address, as a neighbour's forgotten cluster would be. */
import type { Cluster } from './cluster.ts';

export class Intruder {
  readonly #cluster: Cluster;
  readonly #virtualRouterId: number;

  constructor(cluster: Cluster, virtualRouterId: number) {
    this.#cluster = cluster;
    this.#virtualRouterId = virtualRouterId;
  }

  /** Speaks from the client's host, with a priority below everybody's: it should change nothing. */
  async start(): Promise<void> {
    const { client } = this.#cluster;
    await client.write('/run/intruder.conf', strangerConfiguration(client.address, this.#virtualRouterId));
    this.#cluster.startVrrp(client, '/run/intruder.conf');
  }

  async end(): Promise<void> {
    const { client, engine } = this.#cluster;
    client.signal(engine.commandLines.vrrp, 'SIGTERM');
  }
}

/** @param address of the host that it speaks from. */
export function strangerConfiguration(address: string, virtualRouterId: number, interfaceName = 'eth0'): string {
  const subnet = address.replace(/[.:][^.:]*$/, '');
  const other = address.includes(':') ? `${subnet}:fffe` : `${subnet}.253`;
  return `vrrp_instance stranger {
  interface ${interfaceName}
  state BACKUP
  virtual_router_id ${virtualRouterId}
  priority 50
  virtual_ipaddress {
    ${other}
  }
}
`;
}
