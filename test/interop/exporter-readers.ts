/**
 * How the exporters that people run read Keepalived's dumps, by their rules and in our words. A reader throws where the exporter reports an
 * error; what it does not look at, it does not return.
 */

type Fields = Readonly<Record<string, unknown>>;
export type Reading = Readonly<Record<string, unknown>>;

export interface DumpTexts {
  readonly data: string;
  readonly stats: string;
  readonly json: string;
}

const states = ['INIT', 'BACKUP', 'MASTER', 'FAULT'];
const scriptStates = ['idle', 'running', 'requested termination', 'forcing termination'];

/** keepalived-exporter (mehdy), from the two text files: `-ka.json` is not given. */
export function keepalivedExporterText({ data, stats }: DumpTexts): Reading {
  const counters = exporterCounters(stats);
  const instances: Record<string, Record<string, unknown>> = {};
  let instance: Record<string, unknown> | undefined;
  let key = '';
  for (const line of data.split('\n')) {
    if (line.startsWith(' VRRP Instance') && line.includes('=')) {
      instance = { addresses: [] as unknown[] };
      instances[line.split('=')[1]!.trim()] = instance;
    } else if (/^ VRRP (Version|Script)/.test(line)) {
      // Seen by it in old dumps, where they stand between an instance and its fields.
    } else if (!line.startsWith('   ')) instance = undefined;
    else if (instance !== undefined) {
      let value = line.trim();
      if (!line.startsWith('     ')) {
        const separator = line.includes('=') ? '=' : line.includes(':') ? ':' : undefined;
        if (separator === undefined) continue;
        [key, value] = line.split(separator).map((word) => word.trim()) as [string, string];
        if (key === 'Virtual IP') continue;
      }
      if (/^Virtual IP( \(|$)/.test(key) && value !== '') (instance['addresses'] as unknown[]).push(address(value));
      if (key === 'State' || key === 'Wantstate') instance[key] = indexIn(states, value, key);
      else if (key === 'Interface' || key === 'Listening device') instance['Interface'] = value;
      else if (key === 'Gratuitous ARP delay' || key === 'Virtual Router ID') instance[key] = integer(value, key);
    }
  }
  if (Object.keys(instances).length !== Object.keys(counters).length) throw new Error('data and stats are not synced');
  return { instances, counters, scripts: exporterScripts(data) };
}

/** The first word is the address's label, the third the interface's. */
function address(text: string): readonly [string, string] {
  const words = text.split(' ');
  if (words.length < 3) throw new Error(`virtual IP ${text}`);
  return [words[0]!, words[2]!];
}

function exporterScripts(data: string): Reading {
  const scripts: Record<string, Record<string, number>> = {};
  let script: Record<string, number> | undefined;
  for (const line of data.split('\n')) {
    if (line.startsWith(' VRRP Script') && line.includes('=')) {
      script = {};
      scripts[line.split('=')[1]!.trim()] = script;
    } else if (!line.startsWith('   ')) script = undefined;
    else if (script !== undefined && line.includes('=')) {
      const [key, value] = line.split('=').map((word) => word.trim()) as [string, string];
      if (key === 'Status') script[key] = indexIn(['BAD', 'GOOD'], value, key);
      if (key === 'State') script[key] = indexIn(scriptStates, value, key);
    }
  }
  return scripts;
}

function exporterCounters(stats: string): Record<string, Record<string, number>> {
  const instances: Record<string, Record<string, number>> = {};
  let counters: Record<string, number> = {};
  let section = '';
  for (const line of stats.split('\n')) {
    const [key, value] = line.split(':').map((word) => word.trim()) as [string, string];
    if (line.startsWith('VRRP Instance')) {
      counters = {};
      instances[value] = counters;
    } else if (line.startsWith('  ') && line.endsWith(':')) section = key;
    else if (line.startsWith('    ') && section !== '') counters[`${section}: ${key}`] = integer(value, key);
    else if (line.startsWith('  ')) {
      section = '';
      counters[key] = integer(value, key);
    }
  }
  return instances;
}

/** What keepalived-exporter and keepalived_exporter (gen2brain) decode from JSON; their types leave no room for a fraction or a word. */
export function exporterJson({ json }: DumpTexts): Reading {
  const [line, rest] = json.split('\n', 2);
  const all = JSON.parse(line!) as readonly { readonly data: Fields; readonly stats: Fields }[];
  if (rest !== '' || !Array.isArray(all)) throw new Error('not one array');
  return Object.fromEntries(
    all.map(({ data, stats }) => {
      for (const field of ['state', 'wantstate', 'garp_delay', 'vrid']) integer(String(data[field]), field);
      for (const field of jsonCounters) integer(String(stats[field]), field);
      if (typeof data['last_transition'] !== 'number') throw new Error('last_transition');
      const { state, wantstate, ifp_ifname, garp_delay, vrid, last_transition } = data;
      return [
        String(data['iname']),
        {
          ...{ state, wantstate, ifp_ifname, garp_delay, vrid, last_transition },
          addresses: (data['vips'] as readonly string[]).map(address),
          stats: Object.fromEntries(jsonCounters.map((field) => [field, stats[field]])),
        },
      ];
    }),
  );
}

const jsonCounters = [
  ...['advert_rcvd', 'advert_sent', 'become_master', 'release_master', 'packet_len_err', 'advert_interval_err'],
  ...['ip_ttl_err', 'invalid_type_rcvd', 'addr_list_err', 'invalid_authtype', 'authtype_mismatch', 'auth_failure'],
  ...['pri_zero_rcvd', 'pri_zero_sent'],
];

/** keepalived_exporter (gen2brain), from the text files: an instance ends for it at the first line that has no `=`. */
export function keepalivedExporterOldText({ data, stats }: DumpTexts): Reading {
  const instances: Record<string, string>[] = [];
  let instance: Record<string, string> | undefined;
  for (const line of data.split('\n')) {
    const [key, value = ''] = line.split('=').map((word) => word.trim()) as [string, string?];
    if (line.startsWith(' VRRP Instance') && line.includes('=')) instance = { name: value };
    else if (instance !== undefined && line.startsWith('   ') && line.includes('=')) {
      if (['Interface', 'Virtual Router ID', 'State', 'Wantstate'].includes(key)) instance[key] = value;
      if (key === 'Last transition' && Number.isNaN(Number(value.split(' ')[0]))) throw new Error(key);
    } else if (!line.startsWith(' VRRP Version') && instance !== undefined) {
      instances.push(instance);
      instance = undefined;
    }
  }
  const counters = exporterCounters(stats);
  if (instances.length !== Object.keys(counters).length) throw new Error('data and stats differ in length');
  return { instances, counters };
}

/** Checkmk's keepalived_vrrp: JSON from the first line alone; either version of it; every counter is a number. */
export function checkmk({ json }: DumpTexts): Reading {
  const section = JSON.parse(json.split('\n')[0]!) as unknown;
  const instances = (Array.isArray(section) ? section : (section as Fields)['vrrp']) as readonly {
    readonly data: Fields;
    readonly stats: Fields;
  }[];
  return Object.fromEntries(
    instances.map(({ data, stats }) => {
      for (const [name, value] of Object.entries(stats)) if (typeof value !== 'number') throw new Error(name);
      const state = ({ 0: 'INIT', 1: 'BACKUP', 2: 'MASTER', 3: 'FAULT', 97: 'DELETED', 98: 'STOP' } as Fields)[
        String(data['state'])
      ];
      if (state === undefined) throw new Error(`state ${String(data['state'])}`);
      return [String(data['iname']), { state, addresses: data['vips'], stats }];
    }),
  );
}

/** zabbix-keepalived: these fields of the first instance. */
export function zabbix({ json }: DumpTexts): Reading {
  const [first] = JSON.parse(json) as readonly [{ readonly data: Fields; readonly stats: Fields }];
  const fields = [
    ...['iname', 'dont_track_primary', 'skip_check_adv_addr', 'strict_mode', 'vmac_ifname', 'ifp_ifname'],
    ...['master_priority', 'last_transition', 'garp_delay', 'garp_refresh'],
  ];
  const picked = [
    ...fields.map((name) => [name, first.data[name]] as const),
    ...['advert_rcvd', 'become_master'].map((name) => [name, first.stats[name]] as const),
  ];
  for (const [name, value] of picked) if (value === undefined) throw new Error(name);
  return Object.fromEntries(picked);
}

/** keepalived-status-monitor (stefgo), from keepalived.data: by indentation, with sync groups. */
export function statusMonitor({ data }: DumpTexts): Reading {
  const instances: Record<string, Record<string, unknown>> = {};
  const groups: Record<string, { readonly state: string | undefined; readonly members: string[] }> = {};
  let instance: Record<string, unknown> | undefined;
  let group: { readonly members: string[] } | undefined;
  let addressIndent: number | undefined;
  for (const line of data.split('\n').map((each) => each.trimEnd())) {
    const text = line.trim();
    const indent = line.length - text.length;
    const start = /^VRRP (Instance|Sync Group)\s*=\s*([^,\s]+)(?:\s*,\s*(\S+))?/.exec(text);
    if (text === '') continue;
    if (/^-+<.*>-+$/.test(text) || start !== null) {
      [instance, group, addressIndent] = [undefined, undefined, undefined];
      if (start?.[1] === 'Instance') instances[start[2]!] = instance = { addresses: [] as string[] };
      if (start?.[1] === 'Sync Group')
        groups[start[2]!] = group = { state: start[3], members: [] } as (typeof groups)[''];
    } else if (instance !== undefined) {
      const first = text.split(/\s+/)[0]!;
      if (addressIndent !== undefined && indent > addressIndent && /^[\da-fA-F.:]+(\/\d+)?$/.test(first)) {
        (instance['addresses'] as string[]).push(first);
        continue;
      }
      addressIndent = /^Virtual IP\b(?! Excluded)/.test(text) && !text.includes('=') ? indent : undefined;
      const pair = /^([^=]+?)\s*=\s*(.*)$/.exec(text);
      if (pair !== null && statusMonitorKeys.has(pair[1]!)) instance[pair[1]!] ??= pair[2];
    } else if (group !== undefined && /^[\w.-]+$/.test(text) && !/^\d+$/.test(text)) group.members.push(text);
  }
  return { instances, groups };
}

const statusMonitorKeys = new Set([
  ...['State', 'Wantstate', 'Interface', 'Virtual Router ID', 'Priority', 'Effective priority', 'Advert interval'],
  ...['Last transition', 'Sync group'],
]);

function integer(text: string, what: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error(`${what}: '${text}' is no whole number`);
  return Number(text);
}

function indexIn(words: readonly string[], word: string, what: string): number {
  const index = words.indexOf(word);
  if (index === -1) throw new Error(`${what}: unknown '${word}'`);
  return index;
}
