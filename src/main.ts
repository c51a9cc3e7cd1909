/**
 * The command line. One command a file in `commands/`, loaded only when asked for (the VRRP process holds no line of the proxy);
 * here they only get their names, words and manuals.
 * Under the name `haproxy` or `keepalived` (a link to bin/evergate) the program takes that program's command line.
 */
import { constants } from 'node:os';
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import type { BalanceOptions } from './commands/balance.ts';
import type { CheckOptions } from './commands/check.ts';
import type { DrillOptions } from './commands/drill.ts';
import type { ExplainOptions } from './commands/explain.ts';
import type { HandoverOptions } from './commands/handover.ts';
import type { InitOptions } from './commands/init.ts';
import { answerAsKeepalived, forHaproxy, forKeepalived, separateHaproxyWords } from './commands/originals.ts';
import type { ResumeOptions } from './commands/resume.ts';
import type { RunOptions } from './commands/run.ts';
import type { StatusOptions } from './commands/status.ts';
import type { TraceOptions } from './commands/trace.ts';
import { versionLong, versionShort } from './commands/version.ts';
import type { VrrpOptions } from './commands/vrrp.ts';

const collect = (value: string, before: readonly string[] = []) => [...before, value];

function program(): Command {
  const evergate = new Command('evergate')
    .description(
      "A high-availability load balancer: reads the haproxy.cfg and keepalived.conf that you have and does both programs' job.",
    )
    .version(versionShort(), '-v, --version', 'print the version, the commit and the Node it runs on')
    .showHelpAfterError('(evergate --help lists the commands)')
    .helpCommand(true);

  evergate
    .command('run')
    .summary('one node of the cluster: the balancer and the VRRP daemon, supervised')
    .description(
      `Runs both halves of a node: the balancer in a process of its own (worker threads = nbthread), and the VRRP daemon in another,
so that nothing the data plane does can delay an advertisement. When the balancer can't serve, the VRRP daemon knows at
once and resigns, so that the standby takes over; a half that dies is started again.

Signals: TERM and INT stop in an orderly way, USR1 stops after the last exchange, HUP and USR2 reload both files without
refusing or breaking a connection. A reload with a bad file changes nothing and says why.`,
    )
    .requiredOption(
      '-f, --haproxy <file>',
      "the balancer's configuration (again for more files; a folder: its *.cfg)",
      collect,
    )
    .requiredOption('-k, --keepalived <file>', "the VRRP daemon's configuration")
    .option('-p, --pidfile <file>', 'write the process id there')
    .addOption(ioOption())
    .addOption(socketOption())
    .action(async (options: RunOptions) => (await import('./commands/run.ts')).run(options));

  evergate
    .command('balance')
    .summary("the balancer alone: HAProxy's half")
    .description(
      `Spreads requests over servers as haproxy.cfg says. Takes HAProxy's options where they make sense:
-f (again, folders too), -c, -C, -D, -db, -p, -V, -d, -q, -W, -Ws, -n, -sf, -st, -v, -vv.

Signals: TERM and INT stop, USR1 stops after the last exchange, HUP and USR2 reload without refusing or breaking a connection.`,
    )
    .requiredOption('-f, --file <file>', 'configuration (again for more files; a folder: its *.cfg in order)', collect)
    .option('-c, --check', 'check the configuration and end: status 0 when it is sound, 1 when it is not')
    .option('-C, --directory <folder>', 'change to this folder before reading files')
    .option('-D, --daemon', 'go to the background once everything is bound')
    .option('--foreground', 'stay in the foreground even if the file says `daemon` (-db)')
    .option('-p, --pidfile <file>', 'write the process id there')
    .option('-V, --verbose', 'say more')
    .option('-d, --debug', 'stay in the foreground and say more')
    .option('-q, --quiet', 'say nothing but errors')
    .option(
      '-W, --master-worker',
      "HAProxy's master-worker mode: here the supervisor and its worker threads, always on",
    )
    .option('--systemd', 'tell systemd when ready (-Ws)')
    .option('-n, --maxconn <number>', 'most connections of the whole process, over the file')
    .option('--finish <pid>', 'once bound, tell this older process to finish its exchanges and end (-sf)', collect)
    .option('--terminate <pid>', 'once bound, tell this older process to end at once (-st)', collect)
    .addOption(ioOption())
    .addOption(socketOption())
    .addOption(new Option('--control-fd <fd>').hideHelp())
    .action(async (options: BalanceOptions) => (await import('./commands/balance.ts')).balance(options));

  evergate
    .command('vrrp')
    .summary("the VRRP daemon alone: Keepalived's half")
    .description(
      `Keeps virtual addresses on the node that can serve, as keepalived.conf says. Takes Keepalived's options where they make sense.

Signals: TERM and INT hand over and end, HUP reloads, USR1, USR2 and 36 (Keepalived's SIGJSON) write /tmp/keepalived.data, .stats and .json.`,
    )
    .option('-f, --use-file <file>', 'configuration', '/etc/keepalived/keepalived.conf')
    .option(
      '-t, --config-test',
      'check the configuration and end: status 0 when it is sound, 5 when there are warnings, 1 when it is refused',
    )
    .option('--daemon', 'go to the background')
    .option('-n, --dont-fork', 'stay in the foreground (the default; Keepalived needs to be told)')
    .option('-l, --log-console', 'log to the terminal')
    .option('-D, --log-detail', 'log more')
    .option('-G, --no-syslog', "don't log to syslog")
    .option('-S, --log-facility <number>', 'syslog facility LOCAL0 to LOCAL7, as a number')
    .option('-p, --pid <file>', 'write the process id there')
    .option('-r, --vrrp-pid <file>', "write the VRRP process's id there (the same process here)")
    .option('-P, --vrrp', 'VRRP only (always so: IPVS is not part of this program)')
    .option('-i, --config-id <name>', 'take the lines that are marked @name')
    .addOption(new Option('--as-keepalived').hideHelp())
    .addOption(socketOption())
    .addOption(new Option('--control-fd <fd>').hideHelp())
    .action(async (options: VrrpOptions) => (await import('./commands/vrrp.ts')).vrrp(options));

  evergate
    .command('check')
    .summary('tells which kind of file it is and everything that is wrong with it')
    .description('Reads configuration files of either kind and says everything that is wrong with them, in one run.')
    .argument('<file...>', 'haproxy.cfg and keepalived.conf files')
    .option('--json', 'for programs')
    .action(async (files: readonly string[], options: CheckOptions) =>
      (await import('./commands/check.ts')).check(files, options),
    );

  evergate
    .command('explain')
    .summary('who is active in which failure, why and after how long; and what is wrong with the files')
    .description(
      `Reads the keepalived.conf of every node (and the haproxy.cfg they share) together and explains the cluster before
anything happens: the running priorities and what they are made of; for every combination of node, link, script and
balancer failures who is active and after how long, with Evergate and with Keepalived; and findings, each with its
place, the reason, and what to write instead (all of them: docs/explain.md).

Status 0: nothing worse than a notice was found. Status 1: a warning or an alert.`,
    )
    .argument(
      '<file...>',
      'keepalived.conf of each node, in any order (file@name where nodes share one with lines marked @name); haproxy.cfg if you like',
    )
    .option('--json', 'for programs')
    .action(async (files: readonly string[], options: ExplainOptions) =>
      (await import('./commands/explain.ts')).explain(files, options),
    );

  evergate
    .command('drill')
    .summary('rehearses failures of a configuration, and tells what clients would see')
    .description(
      `Builds the cluster of your files in network namespaces on this machine, with the files' own addresses and names, puts it under steady
load, and does to it what production will do one day: balancer killed, link lost, node frozen, split brain, reload with a bad file,
web server gone … For each fault it says first who will take over and how long that may take, and then compares.

Nothing outside the namespaces is touched. Needs Linux, and root or user namespaces.
With --simulate the same drills are played in virtual time instead, by the same VRRP engine: in milliseconds, on any system, and the
same again from the same seed. Web servers, load, logs and descriptors do not exist there; a drill that needs them is named and left out.
Exit status: 0 all passed, 1 a drill did not, 2 it could not be run.`,
    )
    .option('-f, --haproxy <file>', "the balancers' configuration (again for more files; a folder: its *.cfg)", collect)
    .option(
      '-k, --keepalived <file>',
      "a node's VRRP configuration, once for each node (name=file names the node)",
      collect,
    )
    .addOption(
      new Option('--engine <name>', 'what the nodes run: Evergate, or the installed originals')
        .choices(['evergate', 'haproxy+keepalived'])
        .default('evergate'),
    )
    .option('--drill <name>', 'only this drill, or the drill in this file (again for more)', collect)
    .option('--list', 'list the drills')
    .option('--simulate', 'play them in virtual time, without namespaces')
    .option('--seed <number>', 'what is left to chance in a simulation (1)')
    .option('--trials <number>', 'do each so often; median and worst are told', '1')
    .option('--slo <limits>', 'what clients may see at most, e.g. outage=500ms,failed=0; more than that does not pass')
    .option('--json <file>', 'write the results for programs')
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--html <file>', 'write a page with a timeline of each drill')
    .action(async (options: DrillOptions) => (await import('./commands/drill.ts')).drill(options));

  operatorCommands(evergate);
  evergate
    .command('init')
    .summary('writes the configuration of a new cluster')
    .description(
      `Asks for the balancers, the servers, the virtual IP and its interface (or takes them as options), and writes what a cluster
needs: haproxy.cfg, a keepalived.conf for each balancer, and the inventory for the Ansible playbooks in deploy/.`,
    )
    .option('--balancers <list>', 'name=address,… of the balancers, the preferred one first')
    .option('--servers <list>', 'name=address,… of the servers')
    .option('--virtual-ip <address/length>', 'the address that clients use')
    .option('--interface <name>', 'the interface of the balancers that carries it')
    .option('--router-id <number>', 'virtual_router_id: 1 to 255, no other virtual router of the network has it', '51')
    .option('--port <number>', 'the port that clients use', '80')
    .option('--server-port <number>', 'the port of the servers', '80')
    .option('-o, --out <folder>', 'where to write', '.')
    .option('--force', 'write over files that are there')
    .action(async (options: InitOptions) => (await import('./commands/init.ts')).init(options));

  return evergate;
}

/** What an operator asks a running node. */
function operatorCommands(evergate: Command): void {
  evergate
    .command('status')
    .summary('how the running node is: virtual routers, addresses, frontends, servers')
    .description(
      `Shows what the running node knows: each virtual router's state, since when and why, its priority and what makes it up, whom it
has heard, which addresses are really on the interface; whether the balancer serves, its frontends, backends and servers.

Exit status: 0 all is well, 1 something is not (it is said what), 2 no node runs here or it does not answer.`,
    )
    .option('--json', 'for programs; with --watch one line each time')
    .option('-w, --watch', 'keep showing it, twice a second, until Ctrl-C')
    .addOption(socketOption())
    .action(async (options: StatusOptions) => (await import('./commands/status.ts')).status(options));

  evergate
    .command('handover')
    .summary('hands the virtual addresses over to another node, for maintenance')
    .description(
      `Resigns in an orderly way (priority 0, addresses removed) and stays out until \`evergate resume\`. Waits until another node is
heard as active, and says how long that took. Standbys of VRRP are silent: whether one is there shows only when it takes over. When
nobody does within the time a standby needs, the address is taken back at once.

Without a name all virtual routers are handed over. A member of a sync group takes the whole group along.
Exit status: 0 handed over, 1 nobody took over, 2 no node runs here.`,
    )
    .argument('[instance]', 'vrrp_instance or vrrp_sync_group')
    .option('--force', 'stay out even when nobody takes over')
    .addOption(socketOption())
    .action(async (instance: string | undefined, options: HandoverOptions) =>
      (await import('./commands/handover.ts')).handover(instance, options),
    );

  evergate
    .command('resume')
    .summary('takes part again after a handover')
    .description(
      `Ends what \`evergate handover\` began: the node takes part in the election again, as its priority says.

Exit status: 0 done, 2 no node runs here.`,
    )
    .argument('[instance]', 'vrrp_instance or vrrp_sync_group')
    .addOption(socketOption())
    .action(async (instance: string | undefined, options: ResumeOptions) =>
      (await import('./commands/resume.ts')).resume(instance, options),
    );

  evergate
    .command('trace')
    .summary('shows VRRP advertisements as they come, and what is wrong with them')
    .description(
      `Shows every advertisement on the wire, sent and received, one line each, before any firewall rule sees it. With a running node each is
judged against its configuration: version, checksum, TTL, authentication, interval, addresses, and whether this host's firewall
lets it through. Needs root (or CAP_NET_RAW). Ends with Ctrl-C.`,
    )
    .argument('[interface]', 'only this interface; otherwise all')
    .option('--json', 'one line of JSON each')
    .option('-n, --count <number>', 'end after so many advertisements')
    .option('--for <seconds>', 'end after this time')
    .addOption(socketOption())
    .action(async (name: string | undefined, options: TraceOptions) =>
      (await import('./commands/trace.ts')).trace(name, options),
    );
}

function socketOption(): Option {
  return new Option(
    '--socket <name>',
    "the node's name for its control sockets: a path or @name, to which -vrrp and -balance are added (default: @evergate)",
  );
}

function ioOption(): Option {
  return new Option('--io <adapter>', 'sockets through io_uring, or through Node; by itself the best this machine has')
    .choices(['auto', 'uring', 'net'])
    .default('auto');
}

const invokedAs = basename(process.env['EVERGATE_INVOKED_AS'] ?? process.argv[1] ?? 'evergate');
const words = process.argv.slice(2);
const serves = ['haproxy', 'keepalived'].includes(invokedAs) || ['run', 'balance', 'vrrp'].includes(words[0] ?? '');
for (const stream of [process.stdout, process.stderr]) stream.on('error', outputClosed);

const answer = invokedAs === 'keepalived' ? answerAsKeepalived(words, versionShort) : undefined;
if (answer !== undefined) {
  process.stdout.write(answer.stdout ?? '');
  process.stderr.write(answer.stderr ?? '');
  process.exitCode = answer.status;
} else if (words[0] === '-vv') process.stdout.write(versionLong());
else if (invokedAs === 'haproxy') await program().parseAsync(forHaproxy(words), { from: 'user' });
else if (invokedAs === 'keepalived') await program().parseAsync(forKeepalived(words), { from: 'user' });
else await program().parseAsync(words[0] === 'balance' ? separateHaproxyWords(words) : words, { from: 'user' });

/**
 * Nobody reads our output any more (`evergate check … | head`). Other programs then end by SIGPIPE, which Node ignores: the status is the
 * same. A command that has something to put in order does that first, as at SIGTERM. A service goes on without its log.
 */
function outputClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (serves) return;
  for (const stream of [process.stdout, process.stderr]) stream.off('error', outputClosed).on('error', () => {});
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
  else process.exit(128 + constants.signals.SIGPIPE);
}
