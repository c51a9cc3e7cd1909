/** What a machine asks for, in order, until its driver polls it; with the few shapes of request that recur. */

import type { VrrpAction } from './events.ts';
import type { VirtualAddress } from './settings.ts';

/**
 * How long addresses outlast the active role when the balancer behind them is well, so that no client meets a host without them: until the
 * successor has them and the network believes it. It was heard already, or is yet to be.
 */
export const yieldedLingerMs = 20;
export const resignedLingerMs = 100;

export class Outbox {
  #actions: VrrpAction[] = [];

  put(action: VrrpAction): void {
    this.#actions.push(action);
  }

  take(): VrrpAction | undefined {
    return this.#actions.shift();
  }

  advertise(priority: number): void {
    this.put({ kind: 'send-advertisement', priority });
  }

  announce(addresses: readonly VirtualAddress[], repeat: number): void {
    if (repeat > 0 && addresses.length > 0) this.put({ kind: 'announce', addresses, repeat });
  }

  /** No more announcements, then no more addresses. */
  letGo(addresses: readonly VirtualAddress[], lingerMs = 0): void {
    this.put({ kind: 'cancel-announcements' });
    const linger = lingerMs > 0 ? { lingerMs } : {};
    this.put({ kind: 'remove-addresses', addresses, all: true, ...linger });
  }

  /** Reload: only what differs is touched, what goes before what comes. */
  replace(before: readonly VirtualAddress[], after: readonly VirtualAddress[], repeat: number): void {
    const gone = before.filter((old) => !after.some((address) => sameAddress(old, address)));
    const added = after.filter((address) => !before.some((old) => sameAddress(old, address)));
    if (gone.length > 0) this.put({ kind: 'remove-addresses', addresses: gone, all: false });
    if (added.length > 0) this.put({ kind: 'add-addresses', addresses: added, all: false });
    this.announce(added, repeat);
  }

  log(severity: 'info' | 'notice' | 'warning', instance: string, message: string): void {
    this.put({ kind: 'log', severity, message: `(${instance}) ${message}` });
  }
}

/** Equal in every property: another prefix, label or device means that the address must be set anew. */
function sameAddress(a: VirtualAddress, b: VirtualAddress): boolean {
  return (
    a.family === b.family &&
    a.address === b.address &&
    a.prefix === b.prefix &&
    a.device === b.device &&
    a.label === b.label &&
    a.scope === b.scope &&
    a.broadcast === b.broadcast &&
    a.peer === b.peer &&
    a.home === b.home &&
    a.noPrefixRoute === b.noPrefixRoute &&
    a.preferredLifetimeSec === b.preferredLifetimeSec &&
    a.manageTemporary === b.manageTemporary &&
    a.autojoin === b.autojoin
  );
}
