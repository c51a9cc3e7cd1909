/**
 * What a scenario can say. One file below `scenarios/` exports one `scenario`; README.md shows how to add one.
 * The same script runs against HAProxy and against Evergate, each with servers, ports and a log receiver of its own.
 */

export interface Scenario {
  /** One sentence: what a user relies on. */
  readonly title: string;
  /**
   * HAProxy configuration. Placeholders: `{bind:NAME}` an address to listen on (`{bind6:NAME}` of IPv6, `{unix:NAME}` a unix socket),
   * `{server:NAME}` the address of a scripted server, `{refused:NAME}` an address where nobody listens, `{log}` the log receiver, `{file:NAME}` the path of one of `files`.
   */
  readonly config: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly servers?: Readonly<Record<string, Server>>;
  /** Run in this order; those in an inner list run at the same time. */
  readonly clients: readonly (Client | readonly Client[])[];
  /** Also compares on which server connection each request came, and which of them are still open. HAProxy promises neither by default. */
  readonly connections?: true;
  /** The order in which requests reach servers, and lines the log, is left to chance by the script. */
  readonly unordered?: true;
  /** Rewrites applied to both observations before they are compared: what may differ, and why. */
  readonly mayDiffer?: readonly { readonly pattern: RegExp; readonly to: string; readonly why: string }[];
  /**
   * Where Evergate deliberately behaves otherwise: what it must show instead. Lines that begin with one of `lines` are taken out of the
   * comparison on both sides, and Evergate's must match `evergate`.
   */
  readonly deviation?: {
    readonly why: string;
    /** Which lines of the observation are concerned, by their beginning: `client 1`, `server a`, `log`. */
    readonly lines: readonly string[];
    /** All must match Evergate's own lines of those parts, joined with newlines. */
    readonly evergate: readonly RegExp[];
  };
}

/** A step of a client, or of a server once a request (http) or a connection (tcp) has come. */
export type Step =
  | { readonly send: string } // bytes as Latin-1
  | { readonly pause: number } // milliseconds
  | { readonly responses: number } // client: until so many final responses are complete, from the start
  | { readonly until: string } // until these bytes were received, from the start
  | { readonly requests: readonly [server: string, count: number] } // until that server has seen so many requests or connections
  | { readonly log: string } // until a log line contains this
  | { readonly end: true } // until the peer has closed
  | { readonly finish: true } // half-close
  | { readonly close: true }
  | { readonly reset: true };

export interface Client {
  /** Name of a `{bind:NAME}`, `{bind6:NAME}` or `{unix:NAME}`. */
  readonly to: string;
  readonly steps: readonly Step[];
  /** Bytes instead of HTTP responses are compared. */
  readonly raw?: true;
}

export interface Server {
  /** `http` (default) reads requests and answers each; `tcp` runs `answers[connection]` as soon as a connection is there. */
  readonly kind?: 'http' | 'tcp';
  /** By request (http) or connection (tcp), counted over the whole run; the last one serves all that follow. */
  readonly answers: readonly (readonly Step[])[];
  /** http: answers to health checks (any request whose target begins with `/check`). */
  readonly checks?: readonly (readonly Step[])[];
  /** http: answer as soon as the head is there, without waiting for the body. */
  readonly early?: true;
}

/** Sections that most scenarios begin with. Short timeouts keep the run short. */
export const httpDefaults = `global
  log {log} local0
  nbthread 1
defaults
  mode http
  log global
  option httplog
  timeout connect 1s
  timeout client 2s
  timeout server 2s
  timeout check 2s
`;

export const tcpDefaults = httpDefaults.replace('mode http', 'mode tcp').replace('httplog', 'tcplog');

/** A 200 response with a length. */
export function ok(body: string, headers = ''): Step {
  return { send: `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}` };
}

export function get(target = '/', headers = ''): Step {
  return { send: `GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n` };
}

/** `count` requests one after another on one connection, each sent when the last response is complete. */
export function gets(count: number, headers = ''): Step[] {
  return Array.from({ length: count }, (_, index) => [get(`/${index + 1}`, headers), { responses: index + 1 }]).flat();
}

/** One frontend `web` in front of one backend `servers`, with these lines in each. */
export function web(backend: string, frontend = '', defaults = httpDefaults): string {
  return `${defaults}
frontend web
  bind {bind:web}
  default_backend servers
  ${frontend}
backend servers
  ${backend}
`;
}

/** The servers a, b and c, which answer with their names. */
export const abc: Readonly<Record<string, Server>> = {
  a: { answers: [[ok('a')]] },
  b: { answers: [[ok('b')]] },
  c: { answers: [[ok('c')]] },
};

export const serverLines = `server a {server:a}
  server b {server:b}
  server c {server:c}`;
