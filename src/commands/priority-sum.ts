/** What makes up a running priority, as `status` and `explain` write it. */

/**
 * `101 + 2 - 5`, and the limit where the sum is no priority: weights change it within 1 and 254, and that of an owner (255) not at all.
 * @param running what the router runs with.
 */
export function prioritySum(base: number, changes: readonly number[], running: number): string {
  const steps = changes.map((change) => (change < 0 ? ` - ${-change}` : ` + ${change}`)).join('');
  const total = changes.reduce((sum, change) => sum + change, base);
  const limit = total === running ? '' : `, ${total > running ? 'at most' : 'at least'} ${running}`;
  return `${base}${steps}${limit}`;
}
