/** What the parts of the VRRP plan's builder share: the configuration, the world, the diagnostics. */

import type { Diagnostic, DiagnosticCode, Place } from '../config/diagnostic.ts';
import { type Entry, has, lastOf, nameOf } from '../config/keepalived/config.ts';

import { RulePriorities } from './vrrp-rules.ts';

/** What names of numbers in routes and rules are names of. */
export type RoutingNames = 'table' | 'protocol' | 'realm' | 'tos' | 'group' | 'ip-protocol';

/** What a plan needs to know of the machine, as values: building stays pure. */
export interface VrrpWorld {
  readonly hostname: string;
  /** Whether such a user exists, and such a group; absent: not asked, every name is taken. */
  readonly userExists?: (name: string, group?: string) => boolean;
  /** The number behind a name in a route or rule; absent: not asked, names stay as they are. */
  readonly routingNumber?: (kind: RoutingNames, name: string) => number | undefined;
  /** Interfaces that exist; absent: not asked. A missing one is an alert without dynamic_interfaces, as in Keepalived. */
  readonly interfaces?: ReadonlySet<string>;
}

export class PlanContext {
  readonly entries: readonly Entry[];
  /** Everything in all global_defs blocks. */
  readonly global: readonly Entry[];
  readonly world: VrrpWorld;
  readonly diagnostics: Diagnostic[] = [];
  readonly rulePriorities = new RulePriorities();

  constructor(entries: readonly Entry[], world: VrrpWorld) {
    this.entries = entries;
    this.global = entries.filter((entry) => entry.keyword.word === 'global_defs').flatMap((entry) => entry.entries);
    this.world = world;
  }

  #rootScriptNoted = false;

  /** Said once, as Keepalived says it once. */
  noteRootScript(place: Place): void {
    if (this.#rootScriptNoted || has(this.global, 'enable_script_security')) return;
    this.#rootScriptNoted = true;
    this.diagnostics.push({
      severity: 'notice',
      code: 'risky',
      place,
      message: 'scripts run as root, and enable_script_security is not set',
      hint: 'write enable_script_security in global_defs: a script that others could change is not run then',
    });
  }

  warn(code: DiagnosticCode, place: Place, message: string, hint?: string): void {
    this.diagnostics.push({ severity: 'warning', code, place, message, ...(hint === undefined ? {} : { hint }) });
  }

  alert(code: DiagnosticCode, place: Place, message: string, hint?: string): void {
    this.diagnostics.push({ severity: 'alert', code, place, message, ...(hint === undefined ? {} : { hint }) });
  }
}

/** A warning at the last `word` of the instance, or at the instance where the word is absent. */
export function warnInstance(
  entry: Entry,
  word: string,
  code: 'conflict' | 'bad-value' | 'incomplete' | 'risky',
  message: string,
  context: PlanContext,
): void {
  context.warn(code, (lastOf(entry.entries, word) ?? entry).place, `(${nameOf(entry)}) ${message}`);
}
