/**
 * Rise and fall (manual 5.2): how many results in a row change a server's state.
 *
 * A server's health is a number: 0 to rise - 1 means down (that many successes so far), rise to rise + fall - 1 means up (the highest
 * value: no failure so far). A success takes it one up, a failure one down; crossing the border goes all the way.
 */

export interface HealthRules {
  readonly rise: number; // at least 1
  readonly fall: number; // at least 1
}

export interface CheckIntervals {
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
}

/** A server starts up, but its very first failure takes it down: nothing is known about it yet. */
export function startingHealth(rules: HealthRules): number {
  return rules.rise;
}

export function isUp(health: number, rules: HealthRules): boolean {
  return health >= rules.rise;
}

export function healthMax(rules: HealthRules): number {
  return rules.rise + rules.fall - 1;
}

export function healthAfter(health: number, passed: boolean, rules: HealthRules): number {
  if (passed) return health + 1 >= rules.rise ? healthMax(rules) : health + 1;
  return health - 1 < rules.rise ? 0 : health - 1;
}

/** Time until the next check: `inter` when fully up, `downinter` when fully down, `fastinter` in between. */
export function intervalAfter(health: number, rules: HealthRules & CheckIntervals): number {
  if (health === healthMax(rules)) return rules.intervalMs;
  return health === 0 ? rules.downIntervalMs : rules.fastIntervalMs;
}

/** As HAProxy tells it: `2/3 UP` (failures that are still missing), `1/2 DOWN` (successes so far). */
export function healthText(health: number, rules: HealthRules, weight: number): string {
  if (isUp(health, rules)) return `${health - rules.rise + 1}/${rules.fall} ${weight > 0 ? 'UP' : 'DRAIN'}`;
  return `${health}/${rules.rise} DOWN`;
}
