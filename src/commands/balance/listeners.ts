/** The listening sockets of the process: bound once, used by every generation that names their address, closed when none does. */
import { type BindOptions, bindListener, closeListener } from '../../adapters/listener.ts';
import { formatSocketAddress } from '../../core/address.ts';
import type { ListenerSocket } from '../../engine/ports.ts';
import type { BalancerPlan, BindPlan, FrontendPlan } from '../../plan/balancer.ts';

export class Listeners {
  readonly #sockets = new Map<string, ListenerSocket>();

  /**
   * Binds what the plan names and isn't bound yet. All or nothing: when one can't be bound, what this call bound is closed again.
   * @returns for each frontend the sockets of its bind lines.
   * @throws BindError, its message naming the frontend.
   */
  bind(plan: BalancerPlan): ListenerSocket[][] {
    const fresh: string[] = [];
    try {
      return plan.frontends.map((frontend) =>
        frontend.disabled ? [] : frontend.binds.map((bind) => this.#socket(frontend, bind, fresh)),
      );
    } catch (error) {
      for (const key of fresh) this.#close(key);
      throw error;
    }
  }

  /** Closes the sockets that the plan does not name. */
  closeOthers(plan: BalancerPlan): void {
    const named = new Set(plan.frontends.filter((f) => !f.disabled).flatMap((f) => f.binds.map(keyOf)));
    for (const key of [...this.#sockets.keys()]) if (!named.has(key)) this.#close(key);
  }

  closeAll(): void {
    for (const key of [...this.#sockets.keys()]) this.#close(key);
  }

  #socket(frontend: FrontendPlan, bind: BindPlan, fresh: string[]): ListenerSocket {
    const key = keyOf(bind);
    const bound = this.#sockets.get(key);
    if (bound !== undefined) return bound;
    const options: BindOptions = {
      ...bind,
      backlog: bind.backlog > 0 ? bind.backlog : frontend.backlog,
      // As HAProxy does: a second process may bind the same port, which is how a new one replaces an old one (-sf).
      reusePort: bind.address.family !== 'unix',
    };
    const socket = bindListener(options);
    this.#sockets.set(key, socket);
    fresh.push(key);
    return socket;
  }

  #close(key: string): void {
    const socket = this.#sockets.get(key);
    this.#sockets.delete(key);
    if (socket !== undefined) closeListener(socket);
  }
}

/** Two bind lines with the same key can share a socket. */
function keyOf(bind: BindPlan): string {
  const { address, v6only, transparent, interface: device, mode, uid, gid, deferAccept, tcpUserTimeoutMs } = bind;
  return JSON.stringify([
    formatSocketAddress(address),
    v6only,
    transparent,
    device,
    mode,
    uid,
    gid,
    deferAccept,
    tcpUserTimeoutMs,
  ]);
}
