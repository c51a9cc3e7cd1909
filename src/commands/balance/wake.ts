/**
 * Waking a worker's event loop from another thread: a counter on shared memory that it waits for (Atomics.waitAsync). That works on
 * Node's own loop and in one that waits in io_uring alike, because the latter watches Node's loop too.
 */

/** Memory for the cells of `workers` workers. */
export function createWakeCells(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * Int32Array.BYTES_PER_ELEMENT);
}

/** Returns the function that wakes worker `n`. */
export function wakeThrough(memory: SharedArrayBuffer): (worker: number) => void {
  const cells = new Int32Array(memory);
  return (worker) => {
    Atomics.add(cells, worker, 1);
    Atomics.notify(cells, worker);
  };
}

/** Calls `woken` after each wake-up of worker `worker`, for as long as the thread lives. */
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
