/**
 * Functions that libuv calls itself, past Node: Node drains its queue of ticks and the promises' one after its own callbacks only, so it would
 * leave what such a function has begun (a program that is started, a line that is logged) until something else happens.
 */

/** Since long, and not documented: drains both queues. Where it is gone, a turn of Node's own does. */
const { _tickCallback: drain } = process as { _tickCallback?: () => void };

export function loopCall(called: () => void): () => void {
  return () => {
    try {
      called();
      if (drain === undefined) setImmediate(() => {});
      else drain.call(process);
    } catch (error) {
      // An exception can't pass through libuv: it ends the process from a turn of its own, as any other does.
      setImmediate(() => {
        throw error;
      });
    }
  };
}
