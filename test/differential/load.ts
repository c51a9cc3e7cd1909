/** Finds the scenarios: every file below `scenarios/`. */
import { readdirSync } from 'node:fs';
import type { Scenario } from './scenario.ts';

const folder = new URL('./scenarios/', import.meta.url);

/** @param wanted parts of names; none means all. */
export async function loadScenarios(wanted: readonly string[] = []): Promise<Map<string, Scenario>> {
  const scenarios = new Map<string, Scenario>();
  for (const file of readdirSync(folder).sort()) {
    const name = file.replace(/\.ts$/, '');
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    const module = (await import(new URL(file, folder).href)) as { scenario: Scenario };
    scenarios.set(name, module.scenario);
  }
  return scenarios;
}
