/** From the user's file names to everything a cluster needs: parsed plans, topology, stand-ins. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { loadBalancerPlan } from '../commands/balance/load.ts';
import { describeDiagnostic, loadVrrpPlan } from '../commands/vrrp-configuration.ts';
import { parseIp } from '../core/address.ts';
import type { BalancerPlan } from '../plan/balancer.ts';
import type { VrrpPlan } from '../plan/vrrp.ts';
import type { ClusterFiles } from './cluster.ts';
import type { PredictedNode } from './predict.ts';
import {
  addressesForNames,
  deriveTopology,
  type NodeFiles,
  routerOf,
  type Topology,
  TopologyError,
} from './topology.ts';

export interface LoadedCluster {
  readonly balancer: BalancerPlan;
  readonly topology: Topology;
  readonly files: ClusterFiles;
  readonly predicted: readonly PredictedNode[];
  readonly standIns: readonly string[];
}

/** A node as the command line names it: `lb1=path`, or a path alone, whose folder or name then names the node. */
export interface NodeArgument {
  readonly name?: string;
  readonly file: string;
  readonly address?: string;
}

/** Throws TopologyError with everything that is wrong, in lines for the operator. */
export async function loadCluster(haproxy: readonly string[], nodes: readonly NodeArgument[]): Promise<LoadedCluster> {
  const named = nameNodes(nodes).map((node): NodeFiles => {
    const keepalived = resolve(node.file);
    const { plan, diagnostics } = loadVrrpPlan(keepalived, node.name, undefined);
    if (plan === undefined) throw new TopologyError(diagnostics.map(describeDiagnostic).join('\n'));
    return { name: node.name, keepalived, plan, ...(node.address === undefined ? {} : { address: node.address }) };
  });
  const paths = haproxy.map((path) => resolve(path));
  let names: ReadonlyMap<string, string> = new Map();
  const loaded = await loadBalancerPlan(paths, {}, async (wanted) => {
    names = addressesForNames(named, wanted, paths.flatMap(literalAddresses));
    return new Map([...names].map(([name, address]) => [name, [parseIp(address)!]]));
  });
  if (loaded.plan === undefined) throw new TopologyError(loaded.report.trimEnd());
  const topology = deriveTopology(loaded.plan, named, names);
  const scripts = missingScripts(named.map(({ plan }) => plan));
  const instances = new Map(
    named.flatMap((node) => {
      const router = routerOf(node, topology.routerKey);
      return router === undefined ? [] : [[node.name, router.settings.name] as const];
    }),
  );
  return {
    balancer: loaded.plan,
    topology,
    files: {
      haproxy: paths,
      keepalived: new Map(named.map(({ name, keepalived }) => [name, keepalived])),
      scripts,
      instances,
    },
    predicted: named.flatMap((node) => predictedNode(node, topology) ?? []),
    standIns: [
      ...topology.standIns,
      ...[...scripts].map(([path, text]) =>
        text === unitQuestion
          ? `no systemd runs here: ${path} tells whether there is such a process`
          : `the script ${path} is not here: one that asks whether the balancer runs`,
      ),
    ],
  };
}

function predictedNode(node: NodeFiles, topology: Topology): PredictedNode | undefined {
  const router = routerOf(node, topology.routerKey);
  if (router === undefined) return undefined;
  const wires = topology.nodes.find(({ name }) => name === node.name)?.interfaces ?? [];
  const wire = wires.find(({ name }) => name === (router.settings.interface || 'eth0')) ?? wires[0];
  const source = router.settings.transport.source ?? wire?.addresses[0]?.split('/')[0] ?? '';
  return { name: node.name, plan: node.plan, router, source };
}

/** `lb1/keepalived.conf` is lb1, `keepalived-lb1.conf` is lb1; what can't be told apart is numbered. */
export function nameNodes(nodes: readonly NodeArgument[]): readonly (NodeArgument & { readonly name: string })[] {
  const guesses = nodes.map(({ name, file }) => {
    if (name !== undefined) return name;
    const stem = basename(file).replace(/\.[^.]*$/, '');
    const guess = stem === 'keepalived' ? basename(dirname(resolve(file))) : stem.replace(/^keepalived[-_.]?/, '');
    return guess.replace(/[^A-Za-z0-9-]/g, '-');
  });
  const taken = new Set(['client', 'others', 'intruder']);
  return nodes.map((node, i) => {
    const guess = guesses[i]!;
    const unique = guess !== '' && !taken.has(guess) && guesses.filter((each) => each === guess).length === 1;
    const name = unique ? guess : `lb${i + 1}`;
    taken.add(name);
    return { ...node, name };
  });
}

function literalAddresses(path: string): readonly string[] {
  try {
    return statSync(path).isDirectory() ? [] : (readFileSync(path, 'utf8').match(/\d+\.\d+\.\d+\.\d+/g) ?? []);
  } catch {
    return [];
  }
}

/** `systemctl is-active haproxy`, `service haproxy status`: is there a process of that name? Evergate's balancer answers to haproxy's. */
const unitQuestion = `#!/bin/sh
for word; do case $word in -* | is-active | status) ;; *) unit=\${word%.service} ;; esac; done
[ "$unit" = haproxy ] && unit='(haproxy|evergate-balanc)'
exec grep -qsE "^$unit" /proc/[0-9]*/comm
`;

/** Scripts that the files start and that this machine does not have: one asks whether the balancer's process is there, as most such scripts do. */
function missingScripts(plans: readonly VrrpPlan[]): ReadonlyMap<string, string> {
  const check = "#!/bin/sh\nexec grep -qsE '^(haproxy|evergate-balanc)' /proc/[0-9]*/comm\n";
  const missing = new Map<string, string>();
  // No systemd runs on the lab's hosts.
  const manager = (argv: readonly string[]) => {
    const word = argv.find((each) => /(^|\/)(systemctl|service)$/.test(each));
    if (word !== undefined) missing.set(word.startsWith('/') ? word : `/usr/bin/${word}`, unitQuestion);
  };
  const look = (argv: readonly string[] | undefined, text: string) => {
    for (const word of argv ?? []) if (/^\/\S+\/[^/]+$/.test(word) && !existsSync(word)) missing.set(word, text);
  };
  for (const plan of plans) {
    for (const { command } of plan.scripts) {
      look(command.argv, check);
      manager(command.argv);
    }
    const notify = [...plan.routers, ...plan.syncGroups].flatMap((each) => Object.values(each.notify));
    for (const command of notify) look(command?.argv, '#!/bin/sh\nexit 0\n');
  }
  return missing;
}
