/**
 * `--keep`: the cluster stays when the program that showed it ends. The inner program (inside the namespaces) goes on in the
 * background; the outer one, which alone knows the machine's own process ids, tells how to reach it and how to end it, and leaves.
 */
import { readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import type { Cluster } from './cluster.ts';
import type { Terminal } from './terminal.ts';

/** Descriptor on which the inner program tells the outer one that it stays (see enterLab). */
export const keepDescriptor = 3;

/** Inner program: hands the hosts' process ids out and waits until it is told to end. */
export async function keepRunning(cluster: Cluster, terminal: Terminal): Promise<void> {
  terminal.endLive();
  process.on('SIGHUP', () => {});
  const hosts = Object.fromEntries([...cluster.hosts].map(([name, host]) => [name, host.firstPid]));
  const { nodes, topology } = cluster;
  const reach = { self: process.pid, hosts, address: topology.virtualAddress, nodes };
  writeSync(keepDescriptor, `${JSON.stringify(reach)}\n`);
  await new Promise(() => setInterval(() => {}, 1 << 30));
}

/** Outer program: how to reach the hosts and how to end it all, with process ids that mean something outside. */
export function keepInstructions(line: string, innerNamespaceOf: number): string {
  const { self, hosts, address, nodes } = JSON.parse(line) as {
    self: number;
    hosts: Record<string, number>;
    address: string;
    nodes: readonly [string, string];
  };
  const inner = readlinkSync(`/proc/${innerNamespaceOf}/ns/pid_for_children`);
  const outside = (pid: number) => outsidePid(pid, inner);
  const enter = (name: string) => `nsenter -t ${outside(hosts[name] ?? 0)} -n -p -m -u`;
  return `
The cluster is still running. Reach its hosts from here:
  curl through the virtual address    ${enter('client')} curl -i http://${address}/
  a shell on the active balancer      ${enter(nodes[0])} sh
  its addresses                       ${enter(nodes[0])} ip addr show eth0
  the advertisements                  ${enter(nodes[1] ?? nodes[0])} tcpdump -n -i eth0 host 224.0.0.18
End it:                               kill ${outside(self)}
`;
}

/** The machine's own id of a process that its namespace knows as `pid` (the NSpid line of proc_pid_status(5)). */
function outsidePid(pid: number, namespace: string): number {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const ids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? [];
      // The id in the lab's namespace is the second; hosts have a third one of their own.
      if (Number(ids[1]) === pid && (ids.length > 2 || readlinkSync(`/proc/${entry}/ns/pid`) === namespace))
        return Number(entry);
    } catch {
      // It ended while we were looking.
    }
  }
  throw new Error(`process ${pid} of the lab is not to be found`);
}
