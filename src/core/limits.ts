/**
 * Every maximum of the program, each with the reason for its number. A queue, buffer, table or loop without a line here is a mistake.
 */

/** Bytes a stream may have queued before `write` answers false. Two of HAProxy's buffers (tune.bufsize 16384). */
export const highWaterBytes = 32_768;

/** Queue length at which `drained` is told: half a buffer keeps the pipe busy while the next read is made. */
export const lowWaterBytes = 8_192;

/**
 * Pipes by which one worker passes bytes between sockets: one for each direction whose receiver is slow, and most have none. With the size
 * they have (pipes.ts) that is what Linux allows a user without privileges (pipe-user-pages-soft, 64 MiB); more directions are copied.
 */
export const pipesMax = 128;

/** Bodies of HTTP with at least so much to come are relayed: below, the change from one way to the other costs what it saves. */
export const relayBytesMin = 262_144;

/** Longest request or response head, HAProxy's tune.bufsize (16384) less its tune.maxrewrite (1024). */
export const headBytesMax = 15_360;

/** Most header fields in a head: HAProxy's tune.http.maxhdr. */
export const headerFieldsMax = 101;

/**
 * What a balancer without any server left takes from its node's priority: more than the distance between the nodes of one cluster usually
 * is, so that a node which still reaches servers wins; and the same for all, so that where nobody reaches any the address stays.
 */
export const withoutServersWeight = -100;

/** The launcher of `evergate run`, in milliseconds. */
export const launcher = {
  /** After the address has moved, connections are taken for so long from those who don't know yet, in milliseconds. */
  stragglersMs: 250,
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

/** Exchange objects that one worker keeps after a burst of requests, 3 KiB each. */
export const idleExchangesMax = 1_024;

/** Bytes of a request body read and dropped after an answer that didn't wait for it, so that the connection can be kept. */
export const drainBytesMax = 65_536;

/** Bytes read and dropped while a refused client is given time to read the answer (RFC 9112 §9.6). */
export const lingerBytesMax = 262_144;

/** Time for the same, in milliseconds: a round trip to anywhere, with one retransmission. */
export const lingerMs = 1_000;

/** Bytes of the answer to a health check that are looked at: HAProxy's tune.bufsize. */
export const checkAnswerBytesMax = 16_384;

/**
 * How idle connections to servers are closed that are not needed any more, or never again: each costs both sides some 0.1 ms of a processor,
 * and hundreds at once would hold up the requests of that moment.
 */
export const idleClosing = {
  /** So many at once, and more of many: one of these parts of all that are left. */
  leastAtOnce: 8,
  parts: 64,
  everyMs: 5,
} as const;

/** The balancer's supervisor and its worker threads; times in milliseconds. */
export const supervisor = {
  /**
   * MiB of V8's young generation of a worker (V8 makes three semi-spaces of 2 MiB of it). A burst of new connections makes it grow to its most, by default 32 MiB
   * and more, and it stays so; what a worker allocates for a request is next to nothing.
   */
  workerYoungMiBMax: 6,
  /** A worker that lived this long crashed of something new: another one takes its place at once. */
  workerForgivenMs: 1000,
  /** Pause before a worker that crashed sooner is replaced: it must not keep the processor busy. */
  workerRestartMs: 200,
  /** How often a worker says on the board that its event loop turns. */
  workerBeatMs: 100,
  /** How often the supervisor says so to the VRRP half: three times in what that one takes for a freeze. Each costs it a wake-up. */
  beatMs: 300,
  /** A worker whose loop has not turned for this long serves nobody. Long enough for the worst garbage collection and a busy machine. */
  workerSilentMs: 1000,
  /** A worker that was told to break everything off and has not ended by then is terminated. */
  abortMsMax: 1000,
  /** How often a worker that has finished looks whether its last descriptors are closed. */
  endPollMs: 5,
} as const;

/** Interim (1xx) responses to one request: progress reports are fine, an endless stream of them is not an answer. */
export const interimResponsesMax = 100;

/**
 * How long a kept connection may still bring a request when the balancer reloads or stops, in milliseconds. The answer then says
 * `Connection: close`. Closed at once it would meet the next request of a busy client on its way, and that request would be lost.
 */
export const retireIdleMs = 1_000;

/** How often a worker that had to let connections wait for `maxconn` looks whether another worker's connection has ended, in milliseconds. */
export const acceptRetryMs = 20;

/** The VRRP daemon, in milliseconds. */
export const vrrpDaemon = {
  /** The balancer's supervisor says `beat` several times a second; silent for this long it is frozen, and serves nobody. */
  beatSilenceMsMax: 1_000,
  /** A timer of the daemon's own that comes this late was held up: the machine stood still, or the whole node was frozen. */
  ownStallMs: 50,
  /** At the end notify scripts get this long. They tell others; the address has moved already. */
  stopScriptsMsMax: 5_000,
  /** So long after a start or a reload the memory is let go that only they needed. By then a router has its state, and what it does often is compiled. */
  settledMs: 10_000,
} as const;

/** Mails of `smtp_alert`. */
export const smtpAlerts = {
  /** A server that doesn't answer holds each mail up for smtp_connect_timeout: more news than this would be old when it arrives. */
  mailsWaitingMax: 100,
} as const;

/** The control socket of a running half. */
export const controlSocket = {
  /** People and programs that ask at a time: an operator with some windows, an exporter. */
  connectionsMax: 16,
  /** A question is a word and a name. */
  lineBytesMax: 1_024,
  /** Answers that wait to be read: a few of the largest (hundreds of servers). */
  unreadBytesMax: 8_388_608,
  /** A connection on which nothing is asked for this long is closed, in milliseconds. */
  idleMs: 60_000,
  /** A half answers at once, or it hangs, in milliseconds. */
  answerMsMax: 3_000,
  /** How often a name that somebody else holds is tried again, in milliseconds. */
  retryMs: 1_000,
} as const;

/** How long after a standby's skew a hand-over waits for its first advertisement, in milliseconds: a busy machine, a slow switch. */
export const handoverMarginMs = 500;

/** Connections that are open when an address moves in an orderly way between two hosts that both live. */
export const handoff = {
  /** For so long the new holder passes their segments on, in milliseconds: a page with its pictures, not a download. */
  passOnMs: 10_000,
  /** The old holder has them a little longer, so that nothing is passed on to a host that no longer knows the address. */
  keptMs: 10_500,
  /** A daemon that ends, and nobody tells it when its balancer is done (`evergate vrrp` alone), waits for them so long. */
  keptAtEndMs: 1_000,
  /** How often the new holder looks whether the old one is still there, in milliseconds. */
  reviewMs: 50,
  /** Connections that begin at the new holder meanwhile: 26,000 a second; each takes about 100 bytes of the kernel's memory. */
  connectionsMax: 262_144,
  /** Connections of an earlier time that are still open at the new holder: more of them would hold the take-over up. */
  openConnectionsMax: 4_096,
} as const;

/** The watch for address conflicts. */
export const conflictLimits = {
  /** After taking addresses: whoever held them before has let go by then, in milliseconds. */
  firstProbeMs: 1_000,
  /** One frame an address and minute. */
  probeMs: 60_000,
  /** While somebody answers: often enough for who looks at `status` after having mended it. */
  probeAgainMs: 2_000,
  /** Over when two questions in a row found no answer. */
  silentMs: 5_000,
  /** The same where nobody asks (IPv6). */
  unaskedMs: 60_000,
  /** A conflict that goes on is written to the log again after this long. */
  toldAgainMs: 60_000,
  /** Addresses of one router on one interface that are asked for: an end to the frames of large sets. */
  probedAddressesMax: 32,
  /** How long `status` shows a conflict that is no longer seen, in milliseconds. */
  rememberedMs: 120_000,
} as const;

/** Other routers that one virtual router remembers for `status`: more than a group ever has, and an end to forged senders. */
export const neighboursMax = 32;

/** BFD sessions that nobody wrote, between a backup and the router it follows; milliseconds. */
export const peerBfd = {
  /** Between two packets of the active router, less up to a quarter (RFC 5880 §6.8.7): two missing ones make 100 ms (docs/decisions.md). */
  intervalMs: 50,
  /** The same where advertisements come faster than that: then as often as they do, but what is less than a busy machine's delays proves nothing. */
  fastestMs: 15,
  multiplier: 2,
  /** So long before the detection time is over the silent neighbour is asked: an answer takes a round trip and the scheduler's delay. */
  questionMs: 15,
  /** Packets wait unread for so long at most, and of so many sessions of that pace: fewer than a hundred and ten, where a socket holds twice as many. */
  unreadMs: 250,
  unreadSessionsMax: 16,
  /** Timers are this late on an idle machine. */
  latenessForgivenMs: 5,
  /** A node whose timers are late tells others to bear with more missing packets, up to a second of silence: then VRRP's own timers are at hand. */
  silenceMsMax: 1_000,
  /** A host that was silent for so long is not only late, in milliseconds. */
  lateMsMax: 1_000,
  /** While a node reads its files again and starts new workers it may be silent for that long; its neighbours are told before. */
  reloadMs: 500,
  /** How often a router that follows nobody wants to hear of the other end: only so that a dead session is forgotten. */
  unwantedRxMs: 1_000,
  /** A neighbour that was late, not dead, is allowed that much between two packets at last. */
  lateRxMsMax: 200,
  /** RFC 5880 §6.8.3: at least a second while a session is not up. */
  idleTxMs: 1_000,
  /** Three packets without an answer, and it is left alone: first for ten seconds, then ever longer. */
  attemptMs: 2_500,
  pauseMs: 10_000,
  pauseMsMax: 300_000,
  /** A virtual router's group has a handful of members; strangers on the segment must not make us hold more. */
  sessionsMax: 64,
} as const;

/** Gratuitous ARPs and neighbour advertisements that wait for their turn: ten bursts of five for twenty addresses and to spare. */
export const announcementsWaitingMax = 2048;

/** `evergate explain`: combinations of failures that are tried. */
export const explainLimits = {
  /** Of all nodes together: more would take seconds and be read by nobody. Five nodes with four conditions each are 1,024. */
  combinationsMax: 4096,
  /** Different failures of one node: beyond as many only pairs of them are tried. */
  failuresCombinedMax: 12,
} as const;
