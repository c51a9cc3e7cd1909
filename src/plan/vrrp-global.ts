/** global_defs into VrrpGlobalPlan. */

import {
  booleanOf,
  type Entry,
  entriesOf,
  has,
  lastOf,
  namesOf,
  numberOf,
  textOf,
} from '../config/keepalived/config.ts';
import { parseAnyBase, parseDecimal, parseInteger } from '../config/keepalived/values.ts';
import type {
  GarpGroupPlan,
  InterfaceDelayPlan,
  MailPlan,
  SchedulingPlan,
  VirtualRouterPlan,
  VrrpGlobalPlan,
} from './vrrp.ts';
import { isInterfaceName } from './vrrp-addresses.ts';
import { checkScriptUser, fifoOf, timedCommandOf } from './vrrp-commands.ts';
import type { PlanContext } from './vrrp-context.ts';

export function buildGlobal(context: PlanContext, routers: readonly VirtualRouterPlan[]): VrrpGlobalPlan {
  const { global, entries } = context;
  checkScriptUser(context);
  return {
    routerId: textOf(global, 'router_id') ?? context.world.hostname,
    startupDelayMs: milliseconds(numberOf(global, 'vrrp_startup_delay') ?? 0),
    delayAfterBootMs: milliseconds(numberOf(global, 'vrrp_delay_after_boot') ?? 0),
    realtimePriority: Math.max(numberOf(global, 'vrrp_rt_priority') ?? 0, numberOf(global, 'bfd_rt_priority') ?? 0),
    processPriority: Math.min(
      numberOf(global, 'vrrp_priority') ?? numberOf(global, 'bfd_priority') ?? 0,
      numberOf(global, 'bfd_priority') ?? numberOf(global, 'vrrp_priority') ?? 0,
    ),
    noSwap: has(global, 'vrrp_no_swap') || has(global, 'bfd_no_swap'),
    scriptSecurity: has(global, 'enable_script_security'),
    notifyFifo: fifoOf('notify_fifo', context),
    vrrpNotifyFifo: fifoOf('vrrp_notify_fifo', context),
    fifoStatesOnReload: has(global, 'fifo_write_vrrp_states_on_reload'),
    startupScript: timedCommandOf('startup_script', numberOf(global, 'startup_script_timeout') ?? 10, context),
    shutdownScript: timedCommandOf('shutdown_script', numberOf(global, 'shutdown_script_timeout') ?? 10, context),
    mail: buildMail(context),
    promoteSecondaries: false,
    dynamicInterfaces: has(global, 'dynamic_interfaces'),
    defaultInterface: textOf(global, 'default_interface') ?? 'eth0',
    logUnknownVrids: has(global, 'log_unknown_vrids'),
    disableLocalIgmp: has(global, 'disable_local_igmp'),
    firewall: {
      table: textOf(global, 'nftables') ?? 'keepalived',
      priority: numberOf(global, 'nftables_priority') ?? -1,
      counters: has(global, 'nftables_counters'),
      interfaceIndexes: has(global, 'nftables_ifindex'),
    },
    scheduling: buildScheduling(global, context),
    vrrpProcessName: textOf(global, 'vrrp_process_name'),
    umask: readUmask(context),
    networkNamespace: textOf(entries, 'net_namespace'),
    instanceName: textOf(entries, 'instance'),
    usePidDirectory: has(entries, 'use_pid_dir'),
    dumpFilesUseInstance: booleanOf(global, 'data_use_instance') ?? false,
    dumpFiles: {
      state: textOf(global, 'state_file_location'),
      stats: textOf(global, 'stats_file_location'),
      json: textOf(global, 'json_file_location'),
      jsonVersion: numberOf(global, 'json_version') === 2 ? 2 : 1,
    },
    interfaceDelays: buildInterfaceDelays(context, routers),
    garpGroups: buildGarpGroups(context),
  };
}

/** Whole microseconds stay exact: 0.92 s is 920 ms. */
export function milliseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1000;
}

/** Mail goes out only with a server and someone to send it to. */
function buildMail(context: PlanContext): MailPlan | undefined {
  const { global, world } = context;
  const to = namesOf(global, 'notification_email').map((word) => word.text);
  const list = lastOf(global, 'notification_email');
  if (list !== undefined && to.length === 0)
    context.warn('incomplete', list.place, 'notification_email is empty: no mail is sent');
  const [host, port] = lastOf(global, 'smtp_server')?.arguments ?? [];
  if (host === undefined || to.length === 0) {
    noteNoMail(context, host === undefined ? 'smtp_server' : 'notification_email');
    return undefined;
  }
  const number = port === undefined ? 25 : parseInteger(port.text);
  if (number === undefined || number < 1 || number > 65_535) {
    context.warn('bad-value', port!.place, `'${port!.text}' is not a port from 1 to 65535: no mail is sent`);
    return undefined;
  }
  return {
    to,
    from: textOf(global, 'notification_email_from') ?? `keepalived@${world.hostname}`,
    host: host.text,
    port: number,
    helo: textOf(global, 'smtp_helo_name') ?? world.hostname,
    timeoutMs: milliseconds(numberOf(global, 'smtp_connect_timeout') ?? 30),
    onFault: !has(global, 'no_email_faults'),
  };
}

/** Keepalived says nothing, and sends nothing. */
function noteNoMail(context: PlanContext, missing: string): void {
  const everywhere = [...context.entries, ...context.global].flatMap((entry) => [entry, ...entry.entries]);
  const asked = everywhere.find(
    ({ keyword: { word }, value }) => (word === 'smtp_alert' || word === 'smtp_alert_vrrp') && value !== false,
  );
  if (asked !== undefined)
    context.diagnostics.push({
      severity: 'notice',
      code: 'incomplete',
      place: asked.place,
      message: `no mail is sent: ${missing} is not set`,
      hint: 'write smtp_server HOST and notification_email { … } in global_defs',
    });
}

function buildScheduling(global: readonly Entry[], context: PlanContext): SchedulingPlan {
  const automatic = lastOf(global, 'max_auto_priority');
  return {
    processors: [
      ...readProcessors('vrrp_cpu_affinity', context),
      ...readProcessors('bfd_cpu_affinity', context),
    ].filter((processor, index, all) => all.indexOf(processor) === index),
    realtimeLimitUs: Math.max(
      numberOf(global, 'vrrp_rlimit_rttime') ?? 10_000,
      numberOf(global, 'bfd_rlimit_rttime') ?? 10_000,
    ),
    autoPriorityMax: automatic === undefined ? 0 : typeof automatic.value === 'number' ? automatic.value : 99,
    autoPriorityDelayUs: numberOf(global, 'min_auto_priority_delay') ?? 1_000_000,
  };
}

function readProcessors(word: string, context: PlanContext): number[] {
  const processors: number[] = [];
  for (const argument of lastOf(context.global, word)?.arguments ?? []) {
    const number = parseInteger(argument.text);
    // CPU_SETSIZE of sched_setaffinity(2) is 1024.
    if (number !== undefined && number >= 0 && number < 1024) processors.push(number);
    else
      context.warn('bad-value', argument.place, `'${argument.text}' is not the number of a processor: it is left out`);
  }
  return processors;
}

const umaskBits: Readonly<Record<string, number>> = {
  IRUSR: 0o400,
  IWUSR: 0o200,
  IXUSR: 0o100,
  IRGRP: 0o040,
  IWGRP: 0o020,
  IXGRP: 0o010,
  IROTH: 0o004,
  IWOTH: 0o002,
  IXOTH: 0o001,
  IRWXU: 0o700,
  IRWXG: 0o070,
  IRWXO: 0o007,
};
/** What 2.2.7 shows in its dump (its manual says IWGRP|IWOTH). */
const umaskDefault = 0o177;

function readUmask(context: PlanContext): number {
  const entry = lastOf(context.global, 'umask');
  if (entry === undefined) return umaskDefault;
  const text = entry.arguments.map((word) => word.text).join('');
  const number = parseAnyBase(text);
  if (number !== undefined && number >= 0 && number <= 0o777) return number;
  const bits = text.split('|').map((bit) => umaskBits[bit.trim()]);
  if (bits.every((bit) => bit !== undefined)) return bits.reduce((all, bit) => all | bit, 0);
  context.warn(
    'bad-value',
    entry.place,
    `umask '${text}' is neither a number up to 0777 nor bits such as IWGRP|IWOTH: 0177 holds`,
  );
  return umaskDefault;
}

/**
 * Shorter than the others wait for this router's advertisements: else they would take over before it gives up
 * (keepalived.conf(5), "Interface up/down status change debouncing"). Waiting before it comes up again hurts nobody (Keepalived from 2.3.3).
 */
function delayMax(name: string, routers: readonly VirtualRouterPlan[]): number {
  const using = routers.filter(
    ({ settings, trackInterfaces }) =>
      settings.interface === name || trackInterfaces.some((tracked) => tracked.name === name),
  );
  return Math.min(
    ...using.map(({ settings }) => (settings.downTimerAdverts - 1) * settings.advertisementIntervalMs - 1),
  );
}

function buildInterfaceDelays(context: PlanContext, routers: readonly VirtualRouterPlan[]): InterfaceDelayPlan[] {
  const delays: InterfaceDelayPlan[] = [];
  for (const line of entriesOf(context.entries, 'interface_up_down_delays').flatMap((entry) => entry.lines)) {
    const [name, down, up] = line;
    const downSeconds = down === undefined ? undefined : parseDecimal(down.text);
    const upSeconds = up === undefined ? downSeconds : parseDecimal(up.text);
    // The manual's limit is 255 seconds.
    const good = [downSeconds, upSeconds].every((seconds) => seconds !== undefined && seconds <= 255);
    if (name === undefined || !isInterfaceName(name.text) || !good)
      context.warn(
        'bad-value',
        line[0]!.place,
        'not INTERFACE down-seconds [up-seconds], each up to 255: the line is left out',
      );
    else {
      const max = Math.max(0, delayMax(name.text, routers));
      const written = [milliseconds(downSeconds!), milliseconds(upSeconds!)] as const;
      if (written[0] > max)
        context.diagnostics.push({
          severity: 'notice',
          code: 'conflict',
          place: name.place,
          message: `the others would take over before ${name.text} counts as down: the delay is ${max / 1000} s`,
          hint: 'the down delay is shorter than (down_timer_adverts - 1) times advert_int',
        });
      delays.push({ interface: name.text, downMs: Math.min(written[0], max), upMs: written[1] });
    }
  }
  return delays;
}

function buildGarpGroups(context: PlanContext): GarpGroupPlan[] {
  const groups: GarpGroupPlan[] = [];
  for (const entry of entriesOf(context.entries, 'garp_group')) {
    const garp = numberOf(entry.entries, 'garp_interval');
    const na = numberOf(entry.entries, 'gna_interval');
    const one = textOf(entry.entries, 'interface');
    const interfaces = [
      ...(one === undefined ? [] : [one]),
      ...namesOf(entry.entries, 'interfaces').map((word) => word.text),
    ];
    if (garp === undefined && na === undefined)
      context.warn('incomplete', entry.place, 'garp_group has neither garp_interval nor gna_interval: it is left out');
    else
      groups.push({
        interfaces,
        garpIntervalMs: garp === undefined ? undefined : milliseconds(garp),
        naIntervalMs: na === undefined ? undefined : milliseconds(na),
      });
  }
  return groups;
}
