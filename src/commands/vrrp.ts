/** `evergate vrrp`: the VRRP daemon alone, Keepalived's half; also what a link named `keepalived` runs. */
import { readFileSync, rmSync } from 'node:fs';
import { arpWatch } from '../adapters/arp-watch.ts';
import { raiseCapabilities } from '../adapters/capabilities.ts';
import { systemRandom } from '../adapters/clock.ts';
import { ControlClient, controlAddress, serveControl } from '../adapters/control-socket.ts';
import { UdpDatagrams } from '../adapters/datagrams.ts';
import { type HandoverFile, handoverFile } from '../adapters/handover-file.ts';
import { libc } from '../adapters/libc.ts';
import { disableLocalIgmp } from '../adapters/local-igmp.ts';
import { loopClock } from '../adapters/loop-clock.ts';
import { NetlinkLinks } from '../adapters/netlink-links.ts';
import { enterNetworkNamespace } from '../adapters/network-namespace.ts';
import { NftablesFirewall } from '../adapters/nftables.ts';
import { NftablesHandoff } from '../adapters/nftables-handoff.ts';
import { SystemScripts } from '../adapters/process.ts';
import { watchProcessEnd } from '../adapters/process-end.ts';
import { exitAtOnce } from '../adapters/process-exit.ts';
import { pinProcess } from '../adapters/process-limits.ts';
import { keepInMemory, releaseProgram } from '../adapters/process-memory.ts';
import { raisePriority } from '../adapters/process-priority.ts';
import { type Identity, lookUpIdentity } from '../adapters/process-user.ts';
import { RawPackets } from '../adapters/raw.ts';
import { onSignalNumber } from '../adapters/signal.ts';
import { SmtpMails } from '../adapters/smtp.ts';
import { handoff, vrrpDaemon as limits } from '../core/limits.ts';
import { VrrpControl } from '../engine/failover/control.ts';
import { dumpData } from '../engine/failover/dump-data.ts';
import { dumpJson, dumpStatistics } from '../engine/failover/dumps.ts';
import { Failover } from '../engine/failover/failover.ts';
import type { CommandPlan, VrrpPlan } from '../plan/vrrp.ts';
import { controlChannel } from './control-channel.ts';
import { daemonize, daemonReady } from './daemonize.ts';
import { Service } from './service.ts';
import { versionNumber, versionShort } from './version.ts';
import { configTestStatus, describeDiagnostic, type LoadedVrrpPlan, loadVrrpPlan } from './vrrp-configuration.ts';
import { dumpFile, dumpSignal, pidFiles, writeDump, writePidFile } from './vrrp-files.ts';
import { DaemonJournal } from './vrrp-journal.ts';

export interface VrrpOptions {
  readonly useFile: string;
  readonly configTest?: boolean;
  readonly daemon?: boolean;
  readonly dontFork?: boolean;
  readonly logConsole?: boolean;
  readonly logDetail?: boolean;
  /** False with -G. */
  readonly syslog?: boolean;
  readonly logFacility?: string;
  readonly pid?: string;
  readonly vrrpPid?: string;
  readonly vrrp?: boolean;
  readonly configId?: string;
  readonly controlFd?: string;
  /** Started under the name `keepalived`: its process and pid files are where monitoring looks for Keepalived's. */
  readonly asKeepalived?: boolean;
  /** The node's name for `evergate status`: a path, or @name. */
  readonly socket?: string;
}

/** Exporters ask for a dump every few seconds, and a directory of users may be slow to answer. */
const identities = new Map<string, Identity | undefined>();

function identity({ user, group }: CommandPlan): Identity | undefined {
  const key = `${user}:${group ?? ''}`;
  if (!identities.has(key)) identities.set(key, lookUpIdentity(user, group));
  return identities.get(key);
}

/**
 * Runs until stopped in an orderly way, then ends the process with status 0; status 1 when the configuration is refused, or such a daemon runs
 * here already.
 */
export async function vrrp(options: VrrpOptions): Promise<void> {
  raiseCapabilities();
  const loaded = loadInNamespace(options);
  for (const diagnostic of loaded.diagnostics) process.stderr.write(`${describeDiagnostic(diagnostic)}\n`);
  if (options.configTest === true) process.exit(configTestStatus(loaded));
  if (loaded.plan === undefined) process.exit(1);
  if (libc() === undefined) {
    process.stderr.write('evergate: VRRP needs Linux on x86-64 or arm64\n');
    process.exit(1);
  }
  await refuseSecond(options.socket);
  if (options.daemon === true && options.controlFd === undefined) await daemonize();
  process.title =
    loaded.plan.global.vrrpProcessName ?? (options.asKeepalived === true ? 'keepalived' : 'evergate-vrrp');
  new Daemon(options, loaded.plan).start();
}

/**
 * Two daemons with one name would take each other's addresses away. It is asked before anything is touched; a process that was killed has left
 * nothing behind that listens (in Keepalived: its pid file, with the same words).
 */
async function refuseSecond(name: string | undefined): Promise<void> {
  const running = await ControlClient.open(controlAddress(name, 'vrrp'));
  if (!(running instanceof ControlClient)) return;
  const { pid } = running;
  process.stderr.write(
    `evergate: daemon is already running${pid === undefined ? '' : ` (process ${pid})`}: stop it first, or start this one with a name of its own (--socket)\n`,
  );
  process.exit(1);
}

/** Its interfaces are those of the network namespace that the file itself names, so the file is read before they are looked at. */
function loadInNamespace(options: VrrpOptions): LoadedVrrpPlan {
  const load = (interfaces: ReadonlySet<string> | undefined) =>
    loadVrrpPlan(options.useFile, options.configId, interfaces);
  if (libc() === undefined) return load(undefined);
  const name = load(undefined).plan?.global.networkNamespace;
  if (name !== undefined) {
    // The balancer would stay outside, where its clients never come.
    const failure =
      options.controlFd === undefined ? enterNetworkNamespace(name) : 'evergate run must be started in it';
    if (failure !== undefined) {
      process.stderr.write(`evergate: net_namespace ${name}: ${failure} (ip netns exec ${name} evergate …)\n`);
      process.exit(1);
    }
  }
  return load(interfaceNames());
}

function interfaceNames(): ReadonlySet<string> {
  const links = new NetlinkLinks();
  const names = new Set(links.links().map(({ name }) => name));
  links.close();
  return names;
}

/** Not the picture that is kept: what the kernel says now. */
function askKernel() {
  const links = new NetlinkLinks();
  const answer = { links: links.links(), addresses: links.addresses() };
  links.close();
  return answer;
}

const clock = loopClock();

class Daemon {
  readonly #options: VrrpOptions;
  readonly #journal: DaemonJournal;
  readonly #links = new NetlinkLinks();
  readonly #packets = new RawPackets();
  readonly #scripts = new SystemScripts();
  readonly #failover: Failover;
  readonly #handovers: HandoverFile;
  readonly #firewall: NftablesFirewall;
  readonly #handoff = new NftablesHandoff();
  /** Signals and koffi's descriptors don't keep Node's loop alive: this does. */
  readonly #alive = setInterval(() => {}, 2 ** 30);
  /** Rings when the balancer was silent for too long; `#beatDue` is when it should. */
  readonly #beatTimer = clock.alarm(() => this.#beatMissed());
  #beatDue = Infinity;
  /** What a start or a reload needed, and what follows doesn't. */
  readonly #settled = clock.alarm(releaseProgram);
  /** It has not beaten for too long, and has not said anything since. */
  #frozen = false;
  #stopping = false;
  readonly #pidFiles: readonly string[];
  #closeControl = () => {};
  #restoreIgmp = () => {};
  /** Under the launcher of `evergate run` it is the one that speaks to systemd. */
  #service: Service | undefined;
  #sayToLauncher: (line: string) => void = () => {};
  #readiness = '';
  #forgetBalancer = () => {};

  constructor(options: VrrpOptions, plan: VrrpPlan) {
    this.#options = options;
    this.#handovers = handoverFile(controlAddress(options.socket, 'vrrp'));
    this.#pidFiles = pidFiles(options, plan.global);
    const facility = options.logFacility === undefined ? undefined : Number(options.logFacility);
    this.#journal = new DaemonJournal({
      console: options.logConsole === true || options.controlFd !== undefined,
      detail: options.logDetail === true,
      syslog: options.syslog !== false,
      facility,
    });
    this.#firewall = new NftablesFirewall(plan.global.firewall);
    this.#failover = new Failover(
      plan,
      {
        clock,
        packets: this.#packets,
        links: this.#links,
        scripts: this.#scripts,
        journal: this.#journal,
        claims: arpWatch,
        mails: new SmtpMails(),
        firewall: this.#firewall,
        handoff: this.#handoff,
        bfd: { datagrams: new UdpDatagrams(), random: systemRandom() },
      },
      {
        awaitsBalancer: options.controlFd !== undefined,
        handedOver: this.#handovers.load().map(({ router }) => router),
        sinceBootMs: Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000,
      },
    );
  }

  start(): void {
    process.on('SIGTERM', () => this.#stop());
    process.on('SIGINT', () => this.#stop());
    process.on('SIGHUP', () => this.#reload());
    process.on('SIGUSR1', () => this.#dump('state', dumpData(this.#failover, { clock, identity })));
    process.on('SIGUSR2', () => this.#dump('stats', dumpStatistics(this.#failover)));
    onSignalNumber(dumpSignal.json, () => this.#dump('json', dumpJson(this.#failover, clock)));
    this.#journal.log('info', `Starting ${versionShort()} (VRRP)`);
    for (const file of this.#pidFiles) {
      const failure = writePidFile(file);
      if (failure !== undefined) this.#journal.log('err', `Can't write the pid file ${file}: ${failure}`);
    }
    this.#applyPriority();
    if (this.#failover.plan.global.disableLocalIgmp) this.#disableLocalIgmp();
    this.#failover.start();
    this.#openControl();
    if (this.#options.controlFd !== undefined) this.#listenToLauncher(this.#options.controlFd);
    else this.#service = new Service();
    this.#settled.set(clock.now() + limits.settledMs);
    this.#journal.log('info', 'Startup complete');
    this.#service?.ready();
    daemonReady();
  }

  #disableLocalIgmp(): void {
    const disabled = disableLocalIgmp();
    if ('restore' in disabled) this.#restoreIgmp = disabled.restore;
    else this.#journal.log('warning', `Unable to disable local IGMP: ${disabled.failure}`);
  }

  /** Where `evergate status` and the other commands for operators ask. Without it the daemon does its work all the same. */
  #openControl(): void {
    const world = {
      clock,
      pid: process.pid,
      version: versionNumber(),
      launched: this.#options.controlFd !== undefined,
      kernel: askKernel,
    };
    const control = new VrrpControl(this.#failover, world, this.#journal, this.#handovers);
    const server = serveControl({
      address: controlAddress(this.#options.socket, 'vrrp'),
      answer: (line, peer) => control.answer(line, peer?.uid),
      failed: (reason) => this.#journal.log('warning', `no control socket (evergate status, handover): ${reason}`),
    });
    this.#closeControl = () => {
      control.close();
      server.close();
    };
  }

  #applyPriority(): void {
    const { realtimePriority, processPriority, noSwap, scheduling, umask } = this.#failover.plan.global;
    process.umask(umask);
    // Unasked it takes the lowest real-time priority where it may: an advertisement that waits behind the balancer's load looks like a death.
    const asked = realtimePriority > 0 || processPriority !== 0;
    const refusals = raisePriority({ realtimePriority: asked ? realtimePriority : 1, processPriority });
    for (const refused of asked ? refusals : []) this.#journal.log('warning', refused);
    const unlocked = keepInMemory(noSwap);
    if (unlocked !== undefined) this.#journal.log('warning', unlocked);
    const { processors } = scheduling;
    const unpinned = processors.length === 0 ? undefined : pinProcess(processors);
    if (unpinned !== undefined)
      this.#journal.log('warning', `Unable to run on processors ${processors.join(' ')} only: ${unpinned}`);
  }

  /** The launcher tells whether the balancer serves. When the launcher itself is gone, nobody will ever tell again: stop. */
  #listenToLauncher(fd: string): void {
    const channel = controlChannel(
      fd,
      (line) => this.#told(line),
      () => this.#stop(),
    );
    this.#sayToLauncher = (line) => channel.say(line);
    channel.say('started');
  }

  #told(line: string): void {
    if (line === this.#readiness) return;
    if (line === 'finish') {
      this.#failover.finish();
      return;
    }
    if (line.startsWith('balancer ')) {
      this.#watchBalancer(Number(line.slice('balancer '.length)));
      return;
    }
    if (line !== 'beat') this.#readiness = line;
    if (line === 'serving') {
      this.#failover.serving(true);
      this.#failover.serversLeft(true);
    } else if (line.startsWith('degraded')) {
      this.#journal.log('warning', line.replace('degraded', 'The balancer serves nobody:'));
      this.#failover.serving(true);
      this.#failover.serversLeft(false);
    } else if (line.startsWith('not-serving')) {
      this.#journal.log('warning', line.replace('not-serving', 'The balancer does not serve:'));
      this.#failover.serving(false);
      this.#beatTimer.clear();
      this.#frozen = false;
    }
    // Once it beats, silence means that it is frozen, whatever it said before; it beats only while it serves, so that one more beat undoes that.
    if (line === 'beat') {
      if (this.#frozen) {
        this.#frozen = false;
        this.#readiness = 'serving';
        this.#journal.log('notice', 'The balancer gives signs of life again');
        this.#failover.serving(true);
      }
      this.#awaitBeat();
    }
  }

  /** Sees the balancer's end without the launcher, who learns of it later and may have to wait for a processor to say so. */
  #watchBalancer(pid: number): void {
    this.#forgetBalancer();
    const watch = watchProcessEnd(pid, () => this.#told('not-serving the balancer ended'));
    this.#forgetBalancer = typeof watch === 'string' ? () => {} : watch;
  }

  /** @param ms until silence is taken for a freeze. */
  #awaitBeat(ms: number = limits.beatSilenceMsMax): void {
    this.#beatDue = clock.now() + ms;
    this.#beatTimer.set(this.#beatDue);
  }

  #beatMissed(): void {
    // A timer this late means that we stood still ourselves, and so did our ears: the beats of that time may still be on their way.
    if (clock.now() - this.#beatDue > limits.ownStallMs) {
      this.#awaitBeat(limits.beatSilenceMsMax / 4);
      return;
    }
    this.#told('not-serving no sign of life');
    this.#frozen = true;
  }

  #reload(): void {
    if (this.#stopping) return;
    this.#journal.log('info', 'Reloading');
    this.#service?.reloading();
    this.#failover.expectReload();
    this.#reloadOnce();
    this.#service?.ready();
    this.#sayToLauncher('reloaded');
  }

  #reloadOnce(): void {
    const names = new Set(this.#links.links().map(({ name }) => name));
    const { plan, diagnostics } = loadVrrpPlan(this.#options.useFile, this.#options.configId, names);
    for (const diagnostic of diagnostics)
      this.#journal.log(diagnostic.severity === 'alert' ? 'err' : 'warning', describeDiagnostic(diagnostic));
    if (plan === undefined) {
      this.#journal.log('err', 'The configuration is refused, going on with the one before');
      return;
    }
    this.#failover.reload(plan);
    this.#applyPriority();
    this.#settled.set(clock.now() + limits.settledMs);
    this.#journal.log('info', 'Reload finished');
  }

  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#service?.stopping();
    this.#journal.log('info', 'Stopping');
    this.#beatTimer.clear();
    this.#settled.clear();
    this.#forgetBalancer();
    this.#closeControl();
    const end = () => {
      this.#packets.close();
      this.#links.close();
      this.#firewall.close();
      this.#handoff.close();
      this.#scripts.close();
      this.#restoreIgmp();
      for (const file of this.#pidFiles) rmSync(file, { force: true });
      this.#journal.log('info', 'Stopped');
      this.#journal.close();
      clearInterval(this.#alive);
      exitAtOnce(0);
    };
    // The launcher ends the balancer next, and says when that is done.
    const moved = this.#options.controlFd === undefined ? undefined : () => this.#sayToLauncher('moved');
    this.#failover.stop(end, moved);
    setTimeout(end, handoff.keptMs + limits.stopScriptsMsMax).unref();
  }

  #dump(kind: 'state' | 'stats' | 'json', text: string): void {
    const path = dumpFile(kind, this.#failover.plan.global);
    const failure = writeDump(path, text);
    if (failure !== undefined) this.#journal.log('err', `Can't open ${path} (${failure})`);
  }
}
