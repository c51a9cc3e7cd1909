/** What failovers are to take at most, and what was found and tried where they take longer. */

export interface Target {
  /** Of a case. */
  readonly name: string;
  readonly which: 'away' | 'back';
  /** Milliseconds of outage, and failed requests. */
  readonly most: { readonly median?: number; readonly worst?: number; readonly failed?: number };
}

export const targets: readonly Target[] = [
  { name: 'balancer-killed', which: 'away', most: { median: 20, worst: 40 } },
  { name: 'both-killed', which: 'away', most: { median: 100, worst: 200 } },
  { name: 'link-lost', which: 'away', most: { median: 100, worst: 200 } },
  { name: 'orderly-stop', which: 'away', most: { median: 10, worst: 30, failed: 0 } },
  { name: 'balancer-killed', which: 'back', most: { failed: 0 } },
  { name: 'both-killed', which: 'back', most: { failed: 0 } },
  { name: 'orderly-stop', which: 'back', most: { failed: 0 } },
  { name: 'partition-heals', which: 'back', most: { worst: 500 } },
];

export const remarks: readonly string[] = [
  'All nodes, the clients and the servers share two processors here; *nothing happens* is what that costs with no fault at all. Clients and servers at nice -20 made orderly stops 23.0 and 16.8 → 11.0 and 12.9 ms (medians of six, in turns, beside other work).',
  "An orderly stop, by the scheduler's events: SIGTERM at 0.9 ms, the resignation answered by the standby's advertisement at 3.8, its tables, addresses and announcements there at 9.5; until then and 20 ms longer the old node answers.",
  "What clients noticed of it was mostly 285 ms later, when the old balancer ends: it closed some 570 idle connections to servers at once (15 ms of its worker, 44 ms of the three servers on the same processors), took its threads and V8's heaps down (26 ms) and gave its memory back (11 ms); the VRRP daemon did the same at real-time priority (13 ms). Now these connections are closed a few at a time, and what ends does so at once and last in line. Orderly stops in turns, beside other work: 8.6 / 24.7 ms before (6 trials), 8.2 / 20.4 with the connections closed slowly (5), 6.9 / 7.9, 7.0 / 11.2 and 7.7 / 23.7 with both (6, 6, 15); on the machine at its busiest 27.5 / 141 before and 13.7 / 35 after (6 each). One request of some 45 trials failed, in 6 with the slow closing and Node's own exit; its cause was not found.",
  'The same happened every 5 s without any fault: pool-purge-delay closed half of the idle connections of a server at once. Longest silence of 20 windows of a second: 42 and 47 ms before, 19 and 8 after.',
  "A killed balancer: the standby has the address 3.6 to 6.5 ms after the kill (four of five trials, the fifth 15). The rest falls into the time in which the kernel takes back the dead process's memory and the launcher starts it again, on the same two processors.",
  'Kept for these figures: the daemon watches a thread of the balancer (pidfd) instead of waiting for its parent, 200 → some milliseconds; priority 0 is answered at once instead of after the skew, 600 ms; addresses linger on the old node until the new one was heard, and what is open is passed on: 121 failed requests → 0; BFD with a question before the verdict.',
  'Tried for a killed balancer without a gain: the VRRP daemon lowers what is left of the dying process to the lowest nice value (6 trials each, beside other work: 58.7 ms with it, 23.5 without). A restart that starts at low priority was not tried: a node without a standby would come back later on a busy machine.',
  'Tried at the stop without a gain that could be measured: no note of what is open (15 ms of a processor; 9 trials each: 12.7 ms before, 16.0 after, beside other work). Preparing the tables of nf_tables while a node is standby would save time in which the old node answers anyway.',
  "A link that returns cost clients up to 0.8 s with the tuned files, or a request or two: with the link the kernel forgets the servers' hardware addresses, asks for them in vain, and asks again only up to a second after its last question, when the node has its address back already. Now the daemon has it ask at once when the link is there. Compared in namespaces, IPv4 and IPv6, an unanswered entry and a connection that waits for it: nothing done, answered after 0.82 to 0.95 s; the entry deleted, a new connection at once, but the waiting one fails (no route to host); the entry forgotten and used again, both within 10 ms. Asking the kernel to use it alone changes nothing.",
  'Idle, the aim was 0.5 % of a processor and 60 MB. The active node wakes up 28 times a second and the standby 23, most of them for BFD, at 0.25 ms each; of that the JavaScript of a wake-up is 8 µs. Measured on this machine, 25 wake-ups a second each: a C program that does nothing 36 µs a wake-up, one that sends a datagram over loopback 88 (the kernel counts what the receiving end does as the sender’s), Node with an empty timer 150 to 165, with the datagram 215. So 23 packets a second, which is what 100 ms of detection take with two packets and their jitter, are 0.5 % before the first line of this program. Tried: BFD at 2 × 50 ms instead of 3 × 25 (1.5 → 0.6 %), a standby that leaves packets in the socket until it must judge (1.1 → 0.5), one timer of libuv instead of Node’s (153 → 87 µs a wake-up), no optimizing compilers, no threads of V8 (docs/decisions.md), less jitter (below).',
  "With the tuned files sessions keep the pace of the advertisements (2 × 20 ms) since the rows above were measured. In three of three traces the verdict was BFD's, no longer the plain timers'. Beside other work on both processors, medians of six trials before and four after: both killed 72 → 55 ms, link lost 80 → 71. A node that finds itself 11 to 20 ms late asks for a third packet, which makes 60 ms of the 40; the busy machine had that in two of three traces, and in the third the standby was late itself and judged by 25 ms a packet.",
  'Idle once more, beside other work: jitter of 5 % instead of 25 between packets of a session (fewer packets a second) showed no gain (one run of a minute each: active 0.64 % before, 0.80 with it; standby 0.46, 0.69). Not kept: what others did weighed more than what it can save, and RFC 5880 §6.8.7 asks for up to a quarter.',
];
