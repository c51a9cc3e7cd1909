/** What a proxy's settings are once those of its `defaults` sections are counted in (manual 4 "Proxies"). */
import type { ProxyLogStep, ProxySection, ProxySettings } from '../config/haproxy/config.ts';

/**
 * The complete settings of a section: its own, and what it doesn't say from its base, and so on.
 * Log lines add up; error files add up, the later one for a status counts; the rules of a check replace each other as a whole.
 */
export function inheritedSettings(section: ProxySection): ProxySettings {
  const own = section.settings;
  if (section.base === undefined) return own;
  const base = inheritedSettings(section.base);
  const ownCheck = own.httpCheckSend !== undefined || own.httpCheckExpect.length > 0;
  const check = ownCheck ? own : base;
  const { httpCheckSend: _, ...baseWithoutCheck } = base;
  return {
    ...baseWithoutCheck,
    ...own,
    timeouts: { ...base.timeouts, ...own.timeouts },
    switches: { ...base.switches, ...own.switches },
    logs: [...base.logs, ...own.logs],
    errorFiles: [...base.errorFiles, ...own.errorFiles],
    ...(check.httpCheckSend === undefined ? {} : { httpCheckSend: check.httpCheckSend }),
    httpCheckExpect: check.httpCheckExpect,
  };
}

/** The log steps that count: those after the last `no log`. */
export function effectiveLogSteps(steps: readonly ProxyLogStep[]): readonly ProxyLogStep[] {
  return steps.slice(steps.findLastIndex((step) => step.kind === 'none') + 1);
}
