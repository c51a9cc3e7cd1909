/** FRR's vrrpd as a third implementation: its virtual addresses live on macvlan interfaces, whose carrier it takes away while it is a standby. */
import type { Program, TestHost } from '../namespaces/lab.ts';

/** One virtual router of version 3, on IPv4 or IPv6, number 51 on `eth0`. */
export interface FrrRouter {
  readonly family: 'ipv4' | 'ipv6';
  readonly priority: number;
  /** A multiple of 10. */
  readonly advertisementIntervalMs: number;
  /** The virtual address, with its prefix. */
  readonly address: string;
}

const folder = '/run/frr';

/**
 * Starts zebra and vrrpd. The handle is vrrpd's; its log tells of each change of state. zebra ends with the host.
 * A second call restarts vrrpd after a crash.
 */
export async function startFrr(host: TestHost, router: FrrRouter): Promise<Program> {
  const link = router.family === 'ipv4' ? 'vrrp4' : 'vrrp6';
  const restarted = host.run('ip -o link show').includes(`${link}@`);
  if (!restarted) {
    const hardwareAddress = `00:00:5e:00:0${router.family === 'ipv4' ? 1 : 2}:33`;
    host.run(`ip link add ${link} link eth0 address ${hardwareAddress} type macvlan mode bridge`);
    host.run(`ip addr add ${router.address} dev ${link}`);
    host.run(`ip link set ${link} up`);
    host.run(`mkdir -p ${folder}`);
    // The daemons keep files for crashes there, by their process numbers, which repeat from host to host.
    host.run('mount -t tmpfs tmpfs /var/tmp');
  }
  const [address] = router.address.split('/');
  host.write(`${folder}/zebra.conf`, 'log stdout debugging\n');
  host.write(
    `${folder}/vrrpd.conf`,
    `debug vrrp
interface eth0
 vrrp 51 version 3
 vrrp 51 priority ${router.priority}
 vrrp 51 advertisement-interval ${router.advertisementIntervalMs}
 vrrp 51 ${router.family === 'ipv4' ? 'ip' : 'ipv6'} ${address}
`,
  );
  host.run(`chown -R frr:frr ${folder}`);
  const begin = (name: 'zebra' | 'vrrpd') =>
    host.start([
      `/usr/lib/frr/${name}`,
      ...['-f', `${folder}/${name}.conf`, '-i', `${folder}/${name}.pid`, '-z', `${folder}/zserv.api`],
      ...['--vty_socket', folder, '-P', '0', '--log', 'stdout', '--log-level', 'debug'],
    ]);
  if (!restarted) await begin('zebra').printed(/zebra .* starting/, 30_000);
  return begin('vrrpd');
}
