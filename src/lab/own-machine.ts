/** The hosts of a lab share the processors of one machine. */
import { constants, setPriority } from 'node:os';

/**
 * Clients and web servers stand for machines of their own, whose processors no balancer can keep busy: this process comes before those of the
 * nodes that are tried out, as far as it may (root). Else a node that starts or ends its programs beside them looks like one that does not answer.
 */
export function ownMachine(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Not permitted in a user namespace: then the figures have the noise of a shared machine.
  }
}
