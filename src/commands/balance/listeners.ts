/** The listening sockets of the process: bound once, used by every generation that names their address, closed when none does. */
import { createHash } from 'node:crypto';
import { adoptListener, type BindOptions, bindListener, closeListener } from '../../adapters/listener.ts';
import type { TakenListeners } from '../../adapters/take-over.ts';
import { formatSocketAddress } from '../../core/address.ts';
import type { ListenerSocket } from '../../engine/ports/streams.ts';
import type { BalancerPlan, BindPlan, FrontendPlan } from '../../plan/balancer.ts';

/** Who keeps listening sockets while the process is started again: systemd's store. */
export interface SocketStore {
  store(name: string, fd: number): void;
  forget(name: string): void;
}

export class Listeners {
  readonly #sockets = new Map<string, ListenerSocket>();
  readonly #store: SocketStore | undefined;
  readonly #inherited: Map<string, number>;
  #taken: TakenListeners | undefined;

  /**
   * @param inherited what an earlier life of this service left in the store, by name.
   * @param taken the sockets of processes that this one replaces.
   */
  constructor(store?: SocketStore, inherited: ReadonlyMap<string, number> = new Map(), taken?: TakenListeners) {
    this.#taken = taken;
    this.#store = store;
    this.#inherited = new Map(inherited);
  }

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
      for (const key of fresh) {
        this.#store?.forget(storedName(key));
        this.#close(key);
      }
      this.forgetInherited();
      throw error;
    }
  }

  /** Closes the sockets that the plan does not name, inherited ones too: nobody would ever take their connections. */
  closeOthers(plan: BalancerPlan): void {
    this.forgetInherited();
    const named = new Set(plan.frontends.filter((f) => !f.disabled).flatMap((f) => f.binds.map(keyOf)));
    for (const key of [...this.#sockets.keys()])
      if (!named.has(key)) {
        this.#store?.forget(storedName(key));
        this.#close(key);
      }
  }

  /** Closes what was inherited and not used. */
  forgetInherited(): void {
    for (const [name, fd] of this.#inherited) {
      this.#store?.forget(name);
      adoptListener(fd)?.close();
    }
    this.#inherited.clear();
    this.#taken?.close();
    this.#taken = undefined;
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
      replaces: this.#taken !== undefined,
    };
    const socket = this.#inherit(key) ?? this.#taken?.use(options) ?? bindListener(options);
    this.#sockets.set(key, socket);
    fresh.push(key);
    this.#keep(key, socket);
    return socket;
  }

  #inherit(key: string): ListenerSocket | undefined {
    const name = storedName(key);
    const fd = this.#inherited.get(name);
    this.#inherited.delete(name);
    return fd === undefined ? undefined : adoptListener(fd)?.socket;
  }

  /**
   * A socket file goes with its process, so only addresses of the network are kept. What was kept under the name before (by a life
   * that crashed) goes first: with SO_REUSEPORT the kernel would give it half of the connections.
   */
  #keep(key: string, socket: ListenerSocket): void {
    if (socket.address.family === 'unix') return;
    this.#store?.forget(storedName(key));
    this.#store?.store(storedName(key), socket.fd);
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

/** systemd allows 255 characters without colons for a name. */
function storedName(key: string): string {
  return `listen-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
}
