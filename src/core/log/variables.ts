/**
 * The log-format variables of HAProxy 2.6 (configuration manual 8.2.6): one row each, read by the compiler and the docs.
 *
 * `known` tells when a variable's value is settled: `head` once the response's head came (http) or the server connection
 * stands (tcp), `end` when the exchange is over. A format without `end` variables is written early, as with `option logasap`.
 */

export type VariableKind =
  | 'integer' // decimal, never quoted
  | 'plus-integer' // with a leading + while the exchange goes on (option logasap)
  | 'text' // quoted by Q, escaped by E, "-" when empty
  | 'address' // as text; hexadecimal by X
  | 'port' // decimal, hexadecimal by X, as an empty text without an address
  | 'date'
  | 'request' // a part of the request line
  | 'termination'
  | 'retries'
  | 'nothing' // captures, which are not configured: prints nothing, and neighbouring spaces merge
  | 'absent-text'; // cookies, which are not configured: prints an empty text

export interface Variable {
  readonly name: string;
  readonly kind: VariableKind;
  readonly httpOnly: boolean;
  readonly known: 'head' | 'end';
  readonly meaning: string;
}

const rows: readonly (readonly [string, VariableKind, 'http' | 'any', 'head' | 'end', string])[] = [
  ['B', 'plus-integer', 'any', 'end', 'bytes from server to client'],
  ['CC', 'absent-text', 'http', 'head', 'captured request cookie'],
  ['CS', 'absent-text', 'http', 'head', 'captured response cookie'],
  ['H', 'text', 'any', 'head', 'name of this machine'],
  ['HM', 'request', 'http', 'head', 'method'],
  ['HP', 'request', 'http', 'head', 'request target without its query'],
  ['HPO', 'request', 'http', 'head', 'path only, without host and query'],
  ['HQ', 'request', 'http', 'head', 'query, with its question mark'],
  ['HU', 'request', 'http', 'head', 'request target'],
  ['HV', 'request', 'http', 'head', 'HTTP version'],
  ['ST', 'integer', 'any', 'head', 'status'],
  ['T', 'date', 'any', 'head', 'accept date, UTC'],
  ['Ta', 'plus-integer', 'http', 'end', 'active time, from the first byte of the request to the end'],
  ['Tc', 'integer', 'any', 'end', 'time to connect'],
  ['Td', 'integer', 'any', 'end', 'time of data transfer'],
  ['Th', 'integer', 'any', 'end', 'time of handshakes'],
  ['Ti', 'integer', 'http', 'end', 'idle time before the request'],
  ['Tl', 'date', 'any', 'head', 'accept date, local'],
  ['Tq', 'integer', 'http', 'end', 'Th + Ti + TR'],
  ['TR', 'integer', 'http', 'end', 'time to receive the request'],
  ['Tr', 'integer', 'http', 'end', 'response time'],
  ['Ts', 'integer', 'any', 'head', 'accept date, seconds since 1970'],
  ['Tt', 'plus-integer', 'any', 'end', 'total time'],
  ['Tu', 'plus-integer', 'any', 'end', 'total time as the client sees it: Tt - Ti'],
  ['Tw', 'integer', 'any', 'end', 'time in queues'],
  ['U', 'integer', 'any', 'end', 'bytes from client to server'],
  ['ac', 'integer', 'any', 'end', 'connections of the process'],
  ['b', 'text', 'any', 'head', 'backend'],
  ['bc', 'integer', 'any', 'end', 'connections of the backend'],
  ['bi', 'address', 'any', 'head', 'our address towards the server'],
  ['bp', 'port', 'any', 'head', 'our port towards the server'],
  ['bq', 'integer', 'any', 'end', 'length of the queue of the backend'],
  ['ci', 'address', 'any', 'head', 'address of the client'],
  ['cp', 'port', 'any', 'head', 'port of the client'],
  ['f', 'text', 'any', 'head', 'frontend'],
  ['fc', 'integer', 'any', 'end', 'connections of the frontend'],
  ['fi', 'address', 'any', 'head', 'address the client connected to'],
  ['fp', 'port', 'any', 'head', 'port the client connected to'],
  ['ft', 'text', 'any', 'head', 'frontend, with ~ for TLS'],
  ['hr', 'nothing', 'any', 'head', 'captured request headers'],
  ['hrl', 'nothing', 'any', 'head', 'captured request headers, as a list'],
  ['hs', 'nothing', 'any', 'head', 'captured response headers'],
  ['hsl', 'nothing', 'any', 'head', 'captured response headers, as a list'],
  ['lc', 'integer', 'any', 'head', 'lines written before with this format'],
  ['ms', 'integer', 'any', 'head', 'milliseconds of the accept date'],
  ['pid', 'integer', 'any', 'head', 'process id'],
  ['r', 'request', 'http', 'head', 'request line'],
  ['rc', 'retries', 'any', 'end', 'retries, with + after a redispatch'],
  ['rt', 'integer', 'any', 'head', 'counter of requests or sessions'],
  ['s', 'text', 'any', 'head', 'server'],
  ['sc', 'integer', 'any', 'end', 'connections of the server'],
  ['si', 'address', 'any', 'head', 'address of the server'],
  ['sp', 'port', 'any', 'head', 'port of the server'],
  ['sq', 'integer', 'any', 'end', 'length of the queue of the server'],
  ['t', 'date', 'any', 'head', 'accept date with milliseconds, local'],
  ['tr', 'date', 'http', 'head', 'date of the request with milliseconds, local'],
  ['trg', 'date', 'http', 'head', 'date of the request, UTC'],
  ['trl', 'date', 'http', 'head', 'date of the request, local'],
  ['ts', 'termination', 'any', 'end', 'termination state'],
  ['tsc', 'termination', 'any', 'head', 'termination state with the state of cookies'],
];

export const variables: ReadonlyMap<string, Variable> = new Map(
  rows.map(([name, kind, mode, known, meaning]) => [name, { name, kind, httpOnly: mode === 'http', known, meaning }]),
);

/** Variables that HAProxy has and Evergate doesn't yet. */
export const unsupportedVariables: ReadonlyMap<string, string> = new Map([
  ['ID', 'unique ids (unique-id-format)'],
  ['sslc', 'TLS'],
  ['sslv', 'TLS'],
]);
