/** What SIGUSR2 and SIGJSON write: Keepalived's files and fields, so that exporters made for it read ours. SIGUSR1: dump-data.ts. */
import type { VirtualAddress } from '../../core/vrrp/settings.ts';
import { keepalivedStatistics } from '../../core/vrrp/statistics.ts';
import type { NotifyPlan } from '../../plan/vrrp.ts';
import type { Clock } from '../ports/time.ts';
import { addressWords, commandWords, deviceWords, routeWords, ruleWords } from './dump-words.ts';
import type { Failover } from './failover.ts';
import type { RouterDriver } from './router-driver.ts';

/** Keepalived's numbers for the states in JSON. */
const stateNumber = { initialize: 0, backup: 1, active: 2, fault: 3 } as const;

/** The same for authentication. The password itself is left out: whoever reads the file would have it. */
const authenticationNumber = { none: 0, pass: 1, ah: 2 } as const;

/** keepalived.stats (SIGUSR2). */
export function dumpStatistics(failover: Failover): string {
  return failover.drivers
    .map(({ settings, statistics }) => {
      const { errors } = statistics;
      return [
        `VRRP Instance: ${settings.name}`,
        '  Advertisements:',
        `    Received: ${statistics.advertisementsReceived}`,
        `    Sent: ${statistics.advertisementsSent}`,
        `  Became master: ${statistics.becameActive}`,
        `  Released master: ${statistics.releasedActive}`,
        '  Packet Errors:',
        `    Length: ${errors.length}`,
        `    TTL: ${errors.ttl}`,
        `    Invalid Type: ${errors.type}`,
        `    Advertisement Interval: ${errors.interval}`,
        `    Address List: ${errors['address-list']}`,
        '  Authentication Errors:',
        `    Invalid Type: ${errors['authentication-type']}`,
        `    Type Mismatch: ${errors['authentication-mismatch']}`,
        `    Failure: ${errors['authentication-failure']}`,
        '  Priority Zero:',
        `    Received: ${statistics.priorityZeroReceived}`,
        `    Sent: ${statistics.priorityZeroSent}`,
        '',
      ].join('\n');
    })
    .join('');
}

/** keepalived.json (SIGJSON): an array with `data` and `stats` for each instance, all in one line: Checkmk's plugin reads no further. */
export function dumpJson(failover: Failover, clock: Clock): string {
  const routers = failover.drivers.map((driver) => {
    const { settings, statistics } = driver;
    const status = driver.machine.status();
    return {
      data: {
        iname: settings.name,
        dont_track_primary: settings.trackPrimaryInterface ? 0 : 1,
        skip_check_adv_addr: settings.skipCheckAdvertisedAddresses ? 1 : 0,
        strict_mode: settings.strict ? 1 : 0,
        vmac_ifname: settings.vmac === undefined ? '' : driver.device(),
        ifp_ifname: driver.device(),
        master_priority: status.state === 'backup' ? (status.heard?.priority ?? 0) : 0,
        last_transition: Math.round((clock.wall() - (clock.now() - status.sinceMs)) * 1000) / 1e6,
        garp_delay: settings.garp.delayMs / 1000,
        garp_refresh: settings.garp.refreshMs / 1000,
        garp_rep: settings.garp.repeat,
        garp_refresh_rep: settings.garp.refreshRepeat,
        garp_lower_prio_delay: settings.garp.lowerPrioDelayMs / 1000,
        garp_lower_prio_rep: settings.garp.lowerPrioRepeat,
        lower_prio_no_advert: settings.lowerPrioNoAdvert ? 1 : 0,
        higher_prio_send_advert: settings.higherPrioSendAdvert ? 1 : 0,
        vrid: settings.virtualRouterId,
        base_priority: settings.basePriority,
        effective_priority: status.priority,
        vipset: driver.holdings.addresses().length > 0,
        promote_secondaries: driver.plan.promoteSecondaries,
        adver_int: settings.advertisementIntervalMs / 1000,
        master_adver_int: status.activeAdvertisementIntervalMs / 1000,
        accept: settings.accept ? 1 : 0,
        nopreempt: !settings.preempt,
        preempt_delay: settings.preemptDelayMs / 1000,
        state: stateNumber[status.state],
        wantstate: stateNumber[status.state],
        version: settings.version,
        smtp_alert: driver.plan.smtpAlert,
        notify_deleted: driver.plan.notifyDeleted,
        ...describeNotify(driver.plan.notify),
        ...nonEmpty({
          vips: describeAddresses(settings.addresses, driver),
          evips: describeAddresses(settings.excludedAddresses, driver),
          vroutes: driver.plan.routes.map(routeWords),
          vrules: driver.plan.rules.map(ruleWords),
          track_ifp: driver.plan.trackInterfaces.map(({ name }) => name),
          track_script: driver.plan.trackScripts.map(({ target }) =>
            commandWords(failover.plan.scripts[target]!.command),
          ),
          track_process: driver.plan.trackProcesses.map(({ target }) => failover.plan.processes[target]!.process),
        }),
        auth_type: authenticationNumber[settings.authentication.kind],
      },
      stats: keepalivedStatistics(statistics),
    };
  });
  const { jsonVersion } = failover.plan.global.dumpFiles;
  const whole = jsonVersion === 2 ? { vrrp: routers, ...describeProcesses(failover) } : routers;
  return `${JSON.stringify(whole)}\n`;
}

function describeAddresses(addresses: readonly VirtualAddress[], driver: RouterDriver): string[] {
  const held = new Set(driver.holdings.addresses());
  return addresses.map((address) => addressWords(address, deviceWords(address, driver), held.has(address)));
}

function describeNotify(notify: NotifyPlan) {
  const scripts = {
    script_backup: notify.backup,
    script_master: notify.master,
    script_fault: notify.fault,
    script_stop: notify.stop,
    script_deleted: notify.deleted,
    script: notify.any,
    script_master_rx_lower_pri: notify.masterRxLowerPri,
  };
  return Object.fromEntries(
    Object.entries(scripts).flatMap(([field, command]) =>
      command === undefined ? [] : [[field, commandWords(command)]],
    ),
  );
}

/** Keepalived leaves out lists without a member. */
function nonEmpty(lists: Readonly<Record<string, readonly string[]>>) {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

function describeProcesses(failover: Failover) {
  const { processes } = failover.plan;
  if (processes.length === 0) return {};
  const trackers = failover.tracked?.processes() ?? [];
  return {
    track_process: processes.map((tracked, index) => ({
      process: tracked.process,
      ...(tracked.parameters === undefined ? {} : { parameters: tracked.parameters }),
      param_match: tracked.parameters === undefined ? 'none' : tracked.paramMatch,
      min_processes: tracked.quorum,
      ...(tracked.quorumMax === undefined ? {} : { max_processes: tracked.quorumMax }),
      current_processes: trackers[index]?.count ?? 0,
      have_quorum: trackers[index]?.result === 'well',
      weight: tracked.reverse ? -tracked.weight : tracked.weight,
      terminate_delay: tracked.terminateDelayMs / 1000,
      fork_delay: tracked.forkDelayMs / 1000,
      full_command: tracked.fullCommand,
    })),
  };
}
