/**
 * The facts of one exchange or session that a log line can tell: HAProxy's log-format variables (manual 8.2.4) as fields.
 * The proxy fills one record and keeps it; the formatter reads it. Times are milliseconds; -1 means "never happened",
 * and is printed as -1 as HAProxy does.
 */
export interface LogRecord {
  clientHost: string; // %ci
  clientPort: number; // %cp
  frontendHost: string; // %fi
  frontendPort: number; // %fp
  frontendName: string; // %f, %ft (with ~ for TLS)
  backendName: string; // %b
  backendHost: string; // %bi  our own address towards the server
  backendPort: number; // %bp
  serverName: string; // %s, '<NOSRV>' when none was chosen, '<STATS>' for internal answers
  serverHost: string; // %si
  serverPort: number; // %sp
  acceptedWallMs: number; // %t: when the stream (TCP) was accepted
  requestWallMs: number; // %tr: when the request's first byte arrived
  handshakeMs: number; // %Th
  idleMs: number; // %Ti
  requestMs: number; // %TR
  queueMs: number; // %Tw
  connectMs: number; // %Tc
  responseMs: number; // %Tr
  dataMs: number; // %Td
  activeMs: number; // %Ta
  totalMs: number; // %Tt (measured from accept; %Tq = Th + Ti + TR)
  /** With `option logasap` the line is written before the data has passed: times and bytes get a leading '+'. */
  asap: boolean;
  status: number; // %ST, -1 when none
  bytesRead: number; // %B: server to client
  bytesUploaded: number; // %U: client to server
  /** First two characters of %ts / %tsc (manual 8.5): cause and state. */
  terminationCause: string;
  terminationState: string;
  activeConnections: number; // %ac
  frontendConnections: number; // %fc
  backendConnections: number; // %bc
  serverConnections: number; // %sc
  retries: number; // %rc
  redispatched: boolean; // '+' before %rc
  serverQueue: number; // %sq
  backendQueue: number; // %bq
  /** The request line as received, [start, end) of `requestBytes`; length 0 prints `<BADREQ>`. */
  requestBytes: Uint8Array; // %r, %HM, %HP, %HU, %HQ, %HV
  requestStart: number;
  requestEnd: number;
  requestCounter: number; // %rt
}
