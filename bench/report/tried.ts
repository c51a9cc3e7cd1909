/** What was tried for speed, what it brought and what became of it; and where the time goes that is left. */

export interface Attempt {
  readonly what: string;
  /** Numbers of the settings that it is for. */
  readonly settings: string;
  readonly measured: string;
  readonly outcome: 'kept' | 'dropped';
}

export const attempts: readonly Attempt[] = [
  {
    what: 'Log lines of equal length as one message that the kernel cuts into datagrams (UDP_SEGMENT), instead of sendmmsg alone',
    settings: '2',
    measured:
      'a line costs 0.7 µs instead of 3.0 (40 a batch), 1.4 instead of 3.8 (8 a batch); loopback, sender’s side',
    outcome: 'kept',
  },
  {
    what: 'Lines wait up to 5 ms for company',
    settings: '2',
    measured: 'a datagram sent alone costs 7 µs, as one of 40 with sendmmsg 3',
    outcome: 'kept',
  },
  {
    what: 'What only the log wants to know is not gathered where there is no log',
    settings: '1, 3',
    measured: '15 facts and 5 atomic loads a request less; the function had 2.4 % of the time',
    outcome: 'kept',
  },
  {
    what: 'The rewritten head of an answer goes over the one that was received, right before its body; both are sent from there',
    settings: '1, 2, 3, 4',
    measured: 'two copies of the body and one send slot less; 150 → 46 bytes of garbage a request in the proxy',
    outcome: 'kept',
  },
  {
    what: 'Field values are scanned by comparison instead of a table of byte classes',
    settings: '1, 2, 3',
    measured: 'nginx’s answer 511 → 462 ns, a browser’s request 720 → 531 ns',
    outcome: 'kept',
  },
  {
    what: 'Sends that don’t wait, counted as certain: a wait is for one completion more than those',
    settings: '1, 2, 3',
    measured:
      'one io_uring_enter hands over 8 to 44 entries and waits (strace, busy machine); HAProxy makes four calls a request, and epoll’s',
    outcome: 'kept',
  },
  {
    what: 'Registered ring descriptor, DEFER_TASKRUN, COOP_TASKRUN, SINGLE_ISSUER, no array of indexes',
    settings: 'all',
    measured: 'part of the prototype that spent 13–14 µs where HAProxy spent 19',
    outcome: 'kept',
  },
  {
    what: 'Bulk is spliced through a pipe once a stream filled four receive buffers in a row (TCP), or 256 KiB of body are to come (HTTP)',
    settings: '4, 5',
    measured:
      'TCP, 1 MiB: 834 → 393 µs with pipes of 256 KiB, HAProxy 1,294; 512 KiB instead of 256: a quarter less again. HTTP, 1 MiB down: 847 → 496, HAProxy 1,085 (busy machine, each in one run)',
    outcome: 'kept',
  },
  {
    what: 'A busy thread waits up to 100 µs for 32 events instead of one (min_wait of io_uring_enter)',
    settings: '1, 2, 3, 5',
    measured:
      'CPU as a ratio to HAProxy in two runs on a busy machine: 0.90 and 0.92 before, 0.88 and 0.93 with 50 µs and 16 events, 0.81 and 0.89 with 100 µs and 32; the finished form to the one before it, 14 rounds each: 0.95 and 0.92',
    outcome: 'kept',
  },
  {
    what: 'The clock hands out one object a turn instead of one a question; no bigint in the log’s batches; no fraction as an argument',
    settings: '1, 2',
    measured: '150 → 60 bytes of garbage a request',
    outcome: 'kept',
  },
  {
    what: 'Heads are copied byte by byte, so that no view is made for a native copy',
    settings: '1, 2',
    measured: '104 ns instead of 42 for 170 bytes, to save 27 bytes of garbage',
    outcome: 'dropped',
  },
  {
    what: 'A larger young generation',
    settings: '1, 2',
    measured:
      'nothing to gain: collections took 38 ms of a million requests, 0.04 µs each; memory of bursts would stay',
    outcome: 'dropped',
  },
  {
    what: 'Registered files (IOSQE_FIXED_FILE)',
    settings: '1, 2, 5',
    measured:
      'at most 0.8 %, which is what looking up descriptors has of the samples; accepted ones would need a number all the same, for their addresses and ends',
    outcome: 'dropped',
  },
  {
    what: 'Words of a backend on the board by offset instead of by name; no length set on a list that is empty; `performance` imported instead of looked up as a global',
    settings: '1, 2, 3, 5',
    measured:
      'by samples: the keyed look-ups had 0.53 %, the length 0.43 %, the global 0.30 % of 20.6 µs, and none in the profile after it. By CPU time not to be told apart: 1.00 [0.89–1.26] of the form before, 8 rounds of 2 s on a busy machine',
    outcome: 'kept',
  },
  {
    what: 'Cancellations that tell nothing when they succeed (IOSQE_CQE_SKIP_SUCCESS)',
    settings: 'all',
    measured:
      'not by itself: it was part of the 1.00 in the row above. Pauses and resets alone cancel, so no setting’s usual way does. Kept because such a completion could end a wait early for nothing',
    outcome: 'kept',
  },
  {
    what: 'Fewer system calls for a connection that ends after one request on both sides',
    settings: '3',
    measured:
      'counted with strace, 100 connections, ten at a time: socket 1, setsockopt 1 (TCP_NODELAY; accepted sockets inherit it), getpeername 1, shutdown 1.2, close 2, io_uring_enter 1.5, futex 0.9 (whose is not known: the process had just begun), others 0.5; 9.2 in all, HAProxy 17.8. No change was made',
    outcome: 'dropped',
  },
  {
    what: 'A line of the log is rendered, behind its header, in the memory of the batch that it leaves in; its numbers and texts are read by one switch instead of a function each',
    settings: '2',
    measured:
      '1.01 → 0.51 µs up to the batch, 1.69 → 1.11 sent (one process, loopback); of the thread’s time 6.1 → 3.5 %',
    outcome: 'kept',
  },
  {
    what: 'A port asks for its address only when it has none; a request line is checked by comparison instead of a table',
    settings: '2',
    measured: '408 → 398 ns for the text of option httplog',
    outcome: 'kept',
  },
  {
    what: 'The log’s targets that accept a line, listed anew for each line',
    settings: '2',
    measured: '48 bytes of garbage a line; asking the only target first makes none',
    outcome: 'dropped',
  },
  {
    what: 'The ring waits for company only where six events or more come in those 100 µs, not after any turn that took four',
    settings: '3',
    measured:
      'median answer at 4,000 new connections a second 1.0–1.5 → 0.42 ms (HAProxy 0.3–0.5), CPU at full load the same: 16.9 and 16.4 µs in TCP mode, six rounds in turn',
    outcome: 'kept',
  },
];

/** The same for other settings, in words: what is left to gain where a target is missed. */
export const remarks: readonly string[] = [
  'Setting 1: two thirds of the time are the kernel’s, nearly half of all is sending, most of that the receiver’s TCP on the loopback. With a target of 0.80, less than a fifth would be left for the proxy itself.',
  'Setting 1, the proxy’s own code by function, where a request took 20.6 µs under V8’s profiling options: reading fields 0.64 µs, writing fields 0.46, the answer’s body and head into one buffer 0.34, copying the request’s head into a send slot 0.20, taking completions 0.18, a completion’s way into its stream 0.18, the request’s head without its fields 0.18, framing 0.16; no other function had more than that. Atomic operations on the board had 0.5 % together.',
  'Setting 2: the log has about 9 % of the time: 3.5 % rendering, framing and batching, 4.9 % the kernel’s, with the receiver’s half of the loopback in it. A log that cost nothing would still leave the ratio near 0.70; the rest is setting 1.',
  'Setting 3: shutdown and close, with the FIN’s way through the peer’s TCP, 19 %; connect 17 %; sending 14 %; the proxy itself 16 %. V8’s compilers still had 10 % three seconds after the load began.',
  'Setting 5, small messages: sending 49 %, receiving 26 %, waiting 10 %, the adapter 11 %, the engine less than 1 %. There is nothing left above the kernel that a change could halve and anybody would notice.',
];

/** Of the processor time of the io_uring thread in setting 1, by perf (cpu-clock, 5,000 Hz). */
export const profile: readonly (readonly [string, string, string])[] = [
  ['sending: TCP, IP, loopback, and the receiver’s TCP in the same call', '39 %', '35 %'],
  ['receiving', '17 %', '18 %'],
  ['waiting and being told (io_uring, epoll)', '8 %', '7 %'],
  ['the proxy itself: heads, balancing, counting, queues', '33 %', '40 %'],
  ['V8’s compilers and collector', '3 %', ''],
];
