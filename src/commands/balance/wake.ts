/**
 * Waking a worker's event loop from another thread. A worker on Node's own loop waits for its cell (Atomics.waitAsync); one whose loop
 * blocks in io_uring writes its eventfd's number beside the cell, and is woken through that.
 */
import { libc } from '../../adapters/libc.ts';

/** Memory for the cells of `workers` workers: a counter for each, and behind them the eventfd for each (0 = none). */
export function createWakeCells(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * 2 * Int32Array.BYTES_PER_ELEMENT);
}

const one = new BigUint64Array([1n]);
const oneBytes = new Uint8Array(one.buffer);

/** Returns the function that wakes worker `n`. */
export function wakeThrough(memory: SharedArrayBuffer): (worker: number) => void {
  const cells = new Int32Array(memory);
  const workers = cells.length / 2;
  return (worker) => {
    const eventfd = Atomics.load(cells, workers + worker);
    if (eventfd > 0) libc()?.write(eventfd, oneBytes, oneBytes.length);
    else {
      Atomics.add(cells, worker, 1);
      Atomics.notify(cells, worker);
    }
  };
}

/** For a worker whose loop blocks elsewhere: from now on it is woken through this eventfd. */
export function wakeByEventfd(memory: SharedArrayBuffer, worker: number, eventfd: number): void {
  const cells = new Int32Array(memory);
  Atomics.store(cells, cells.length / 2 + worker, eventfd);
}

/** For a worker on Node's own loop: calls `woken` after each wake-up, for as long as the thread lives. */
export function onWake(memory: SharedArrayBuffer, worker: number, woken: () => void): void {
  const cells = new Int32Array(memory);
  const wait = () => {
    const before = Atomics.load(cells, worker);
    woken();
    // A wake-up between the load and here changes the cell: then this returns at once, and nothing is lost.
    const result = Atomics.waitAsync(cells, worker, before);
    if (result.async) void result.value.then(wait);
    else queueMicrotask(wait);
  };
  wait();
}
