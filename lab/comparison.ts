/**
 * What docs/drills.md compares: which configurations, which drills, which engines. The files of `shared/corpus` are other people's and no
 * licence came with them, so they are read where they are and not copied; their results are kept.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EngineName, engineNames } from '../src/lab/engine.ts';

export interface Configuration {
  /** The folder of its results. */
  readonly name: string;
  readonly title: string;
  /** Where the files come from and what is particular about them. */
  readonly about: string;
  readonly haproxy: string;
  readonly lb1: string;
  /** The second node's file, or what its file differs in where only one was published. */
  readonly lb2: string | { readonly priority: number };
}

const root = fileURLToPath(new URL('../', import.meta.url));
const corpus = join(root, '../shared/corpus');
const keepalived = (number: string) => join(corpus, `keepalived/${number}.conf`);
const haproxy = (number: string) => join(corpus, `haproxy/${number}.cfg`);

export const results = join(root, 'bench/results-drills');

export const comparedDrills: readonly string[] = [
  'balancer-killed',
  'both-killed',
  'orderly-stop',
  'preferred-returns',
  'reload',
  'server-killed',
];

export const comparedEngines: readonly EngineName[] = engineNames;

export const configurations: readonly Configuration[] = [
  {
    name: 'examples',
    title: 'The files in examples/',
    about: '`killall -0 haproxy` every 2 s with weight 2, priorities 101 and 100, `httpchk` on three servers.',
    haproxy: join(root, 'examples/haproxy.cfg'),
    lb1: join(root, 'examples/keepalived-active.conf'),
    lb2: join(root, 'examples/keepalived-passive.conf'),
  },
  {
    name: 'unicast',
    title: 'Unicast peers, and a weight that is too small',
    about:
      'keepalived.conf of cabrel92/cabrel92-rabbitmq-haproxy-keepalived-tls-latest: unicast between two nodes, priorities 150 and 100, and a check ' +
      'whose weight of −10 can never make the second one higher. haproxy.cfg of zanfranceschi/rinha-de-backend-2024-q1: HTTP, two servers by name, no checks.',
    haproxy: haproxy('028'),
    lb1: keepalived('008'),
    lb2: keepalived('007'),
  },
  {
    name: 'fault-script',
    title: 'A script whose failure is a fault',
    about:
      'keepalived.conf of kevnguy/HALB-UnixSystemAdministration: `pkill -0 haproxy` every 2 s without a weight, priorities 150 and 100. ' +
      'haproxy.cfg of zanfranceschi/rinha-de-backend-2025: HTTP on port 9999, two servers with TCP checks.',
    haproxy: haproxy('030'),
    lb1: keepalived('015'),
    lb2: keepalived('014'),
  },
  {
    name: 'systemctl-tcp',
    title: 'systemctl as the check, TCP as the mode',
    about:
      'keepalived.conf of C4Gerges/projet-cloud-virt: `systemctl is-active haproxy` every 2 s with weight −30, priorities 100 and 90. ' +
      'haproxy.cfg of zanfranceschi/rinha-de-backend-2024-q1: `mode tcp`, five retries, two servers with TCP checks.',
    haproxy: haproxy('027'),
    lb1: keepalived('004'),
    lb2: keepalived('003'),
  },
  {
    name: 'nopreempt',
    title: 'nopreempt, and an advertisement every three seconds',
    about:
      'keepalived.conf of pmzgit/old-note: `nopreempt`, `advert_int 3`, a check every 5 s whose failure is a fault; the second node has the same file ' +
      'with priority 80. haproxy.cfg of AlvaroPintado/NetworkInfrastructure: HTTP with logs, two servers with TCP checks.',
    haproxy: haproxy('113'),
    lb1: keepalived('033'),
    lb2: { priority: 80 },
  },
];

/** The files that the nodes of a configuration run; one that had to be made is written into `folder`. Undefined: they are not here. */
export function filesOf(
  configuration: Configuration,
  folder: string,
): { readonly haproxy: string; readonly nodes: readonly string[] } | undefined {
  const { haproxy: balancer, lb1, lb2, name } = configuration;
  if (![balancer, lb1, ...(typeof lb2 === 'string' ? [lb2] : [])].every((path) => existsSync(path))) return undefined;
  if (typeof lb2 === 'string') return { haproxy: balancer, nodes: [lb1, lb2] };
  mkdirSync(folder, { recursive: true });
  const made = join(folder, `${name}-lb2.conf`);
  writeFileSync(made, readFileSync(lb1, 'utf8').replace(/^(\s*priority\s+)\d+/m, `$1${lb2.priority}`));
  return { haproxy: balancer, nodes: [lb1, made] };
}

export function resultFile(configuration: string, engine: EngineName): string {
  return join(results, configuration, `${engine}.json`);
}
