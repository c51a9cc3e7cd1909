/**
 * Every maximum of the program, each with the reason for its number. A queue, buffer, table or loop without a line here is a mistake.
 */

/** Bytes a stream may have queued before `write` answers false. Two of HAProxy's buffers (tune.bufsize 16384). */
export const highWaterBytes = 32_768;

/** Queue length at which `drained` is told: half a buffer keeps the pipe busy while the next read is made. */
export const lowWaterBytes = 8_192;

/** Longest request or response head, HAProxy's tune.bufsize (16384) less its tune.maxrewrite (1024). */
export const headBytesMax = 15_360;

/** Most header fields in a head: HAProxy's tune.http.maxhdr. */
export const headerFieldsMax = 101;

/** The launcher of `evergate run`, in milliseconds. */
export const launcher = {
  /** After the address has moved, exchanges that still run may take this long: a page with its pictures, not a download. */
  drainMsMax: 2000,
  /** A half that lived this long died of something new: it is started again at once. */
  restartForgivenMs: 10_000,
  /** First pause before a half is started again, doubled each time, and the longest. */
  restartMsStep: 100,
  restartMsMax: 10_000,
} as const;

/** Bytes of extensions in one chunk's first line. Nobody uses them; the bound keeps a peer from sending only those. */
export const chunkExtensionBytesMax = 1_024;

/** Bytes of trailer fields behind a chunked body: plenty for checksums and gRPC's status. */
export const trailerBytesMax = 8_192;

/** Requests of one worker that can wait in queues at a time, when `global maxconn` doesn't set less: as many as a process has connections at most. */
export const waitersMax = 65_536;
