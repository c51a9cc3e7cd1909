/** What systemd hears of a running balancer or node: ready, reloading, stopping, a state in words, and the watchdog's sign of life. */
import { type ServiceManager, serviceManager } from '../adapters/systemd.ts';

/** A sign of life is worth this part of the watchdog's time: three of them fit into it. */
const watchdogShare = 1 / 3;

/** Outside systemd every method does nothing. */
export class Service {
  readonly #manager: ServiceManager | undefined;
  #ready = false;
  #serving = false;
  #hangs = false;
  #beatAt = 0;
  #watchdog: NodeJS.Timeout | undefined;

  /** @param manager undefined: nobody is told. */
  constructor(manager: ServiceManager | undefined = serviceManager()) {
    this.#manager = manager;
  }

  get manager(): ServiceManager | undefined {
    return this.#manager;
  }

  /** Everything is bound and every server has been checked once. From now on the watchdog gets its signs of life. */
  ready(): void {
    this.#manager?.ready();
    if (this.#ready) return;
    this.#ready = true;
    const within = this.#manager?.watchdogMs;
    if (within === undefined) return;
    this.#beatAt = performance.now();
    this.#watchdog = setInterval(() => this.#watch(within), within * watchdogShare);
    this.#watchdog.unref();
  }

  reloading(): void {
    this.#manager?.reloading();
  }

  stopping(): void {
    clearInterval(this.#watchdog);
    this.#manager?.stopping();
  }

  /** A line of the balancer about its readiness (`serving`, `degraded <reason>`, `not-serving <reason>`, `beat`). */
  heard(line: string): void {
    this.#beatAt = performance.now();
    if (line === 'beat') return;
    this.#serving = !line.startsWith('not-serving');
    this.#hangs = line.endsWith(' hang');
    this.#manager?.status(statusText(line));
  }

  /** A balancer that serves beats. One that fell silent, or whose worker threads hang, is to be started again. */
  #watch(withinMs: number): void {
    const silent = this.#serving && performance.now() - this.#beatAt > withinMs * watchdogShare;
    if (!silent && !this.#hangs) this.#manager?.alive();
  }
}

function statusText(line: string): string {
  if (line === 'serving') return 'Serving';
  return line.replace(/^degraded /, 'Serving nobody: ').replace(/^not-serving /, 'Not serving: ');
}
