/** One virtual_router_id twice on an interface: found in the file itself, since no plan can be made of it. */

import type { Diagnostic } from '../../../config/diagnostic.ts';
import { entriesOf, type KeepalivedConfig, lastOf, nameOf, numberOf } from '../../../config/keepalived/config.ts';
import { type Finding, finding } from './finding.ts';

/** @param diagnostics of the plan's builder, which decides what a duplicate is (family, audience). */
export function findDuplicates(config: KeepalivedConfig, diagnostics: readonly Diagnostic[]): Finding[] {
  return entriesOf(config.entries, 'vrrp_instance').flatMap((entry) => {
    const { place } = lastOf(entry.entries, 'virtual_router_id') ?? entry;
    const duplicate = diagnostics.find(
      (each) =>
        each.code === 'duplicate' &&
        each.severity === 'alert' &&
        each.place.file === place.file &&
        each.place.line === place.line,
    );
    if (duplicate === undefined) return [];
    const id = numberOf(entry.entries, 'virtual_router_id');
    return [
      finding('duplicate-virtual-router-id', place, `${nameOf(entry)}: virtual_router_id ${id} is already used here`),
    ];
  });
}
