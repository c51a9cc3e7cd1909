/** Results of health checks, in HAProxy's words (management guide 9.1, check_status). */

/** In this order they are numbers on the board. */
export const checkStatuses = ['INI', 'SOCKERR', 'L4OK', 'L4TOUT', 'L4CON', 'L7OK', 'L7TOUT', 'L7RSP', 'L7STS'] as const;
export type CheckStatus = (typeof checkStatuses)[number];

export const checkDescriptions: Readonly<Record<CheckStatus, string>> = {
  INI: 'Initializing',
  SOCKERR: 'Socket error',
  L4OK: 'Layer4 check passed',
  L4TOUT: 'Layer4 timeout',
  L4CON: 'Layer4 connection problem',
  L7OK: 'Layer7 check passed',
  L7TOUT: 'Layer7 timeout',
  L7RSP: 'Layer7 invalid response',
  L7STS: 'Layer7 wrong status',
};

export interface CheckResult {
  readonly status: CheckStatus;
  /** Status of an HTTP answer, -1 when there was none or it does not matter. */
  readonly code: number;
  /** What the system or the server said, or ''. */
  readonly info: string;
}

export function hasPassed(status: CheckStatus): boolean {
  return status === 'L4OK' || status === 'L7OK';
}

/** `, reason: …, code: …, info: "…", check duration: …ms` */
export function reasonText(result: CheckResult, durationMs: number): string {
  const code = result.code >= 0 ? `, code: ${result.code}` : '';
  const info = result.info === '' ? '' : `, info: "${escaped(result.info)}"`;
  return `, reason: ${checkDescriptions[result.status]}${code}${info}, check duration: ${Math.trunc(durationMs)}ms`;
}

/** What a server says may hold anything: what can't be printed, and what marks such places, is written as HAProxy writes it: `<7F>`. */
function escaped(text: string): string {
  return text.replace(
    /[^\x20-\x7e]|[<>"]/g,
    (char) => `<${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}>`,
  );
}
