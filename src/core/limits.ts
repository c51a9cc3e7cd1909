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

/** Idle connections to one server that one worker keeps: more are a burst that is over, and descriptors have other uses. */
export const idleConnectionsMax = 1_024;

/** Bytes of a request body read and dropped after an answer that didn't wait for it, so that the connection can be kept. */
export const drainBytesMax = 65_536;

/** Bytes read and dropped while a refused client is given time to read the answer (RFC 9112 §9.6). */
export const lingerBytesMax = 262_144;

/** Time for the same, in milliseconds: a round trip to anywhere, with one retransmission. */
export const lingerMs = 1_000;

/** Bytes of the answer to a health check that are looked at: HAProxy's tune.bufsize. */
export const checkAnswerBytesMax = 16_384;
