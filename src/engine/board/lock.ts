/**
 * A lock between worker threads over two words of shared memory: taken with one compare-and-exchange, given back with one exchange. It guards a few
 * dozen instructions (a choice of server, a link in a queue), so a thread that finds it taken first looks a few times again and sleeps only
 * when the owner was put off its CPU. The word tells the owner, so the supervisor can take over what a dead worker held.
 */

/** Looks before sleeping: about as long as the longest guarded work takes. */
const looksBeforeSleep = 200;

/** A sleeper looks again after this even if nobody woke it. */
const sleepMs = 50;

/** @param owner 0..n, the same for one thread at all times. Not to be taken twice by the same owner. */
export function acquireLock(words: Int32Array, at: number, owner: number): void {
  if (Atomics.compareExchange(words, at, 0, owner + 1) === 0) return;
  for (let look = 0; look < looksBeforeSleep; look++)
    if (Atomics.load(words, at) === 0 && Atomics.compareExchange(words, at, 0, owner + 1) === 0) return;
  Atomics.add(words, at + 1, 1);
  for (;;) {
    const holder = Atomics.compareExchange(words, at, 0, owner + 1);
    if (holder === 0) break;
    Atomics.wait(words, at, holder, sleepMs);
  }
  Atomics.sub(words, at + 1, 1);
}

export function releaseLock(words: Int32Array, at: number): void {
  Atomics.store(words, at, 0);
  if (Atomics.load(words, at + 1) > 0) Atomics.notify(words, at, 1);
}

/** Takes the lock from an owner that no longer runs. Returns whether it held the lock; else the lock is not ours. */
export function inheritLock(words: Int32Array, at: number, dead: number, owner: number): boolean {
  return Atomics.compareExchange(words, at, dead + 1, owner + 1) === dead + 1;
}
