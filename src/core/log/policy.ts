/** Whether a line is written at all, and how severe it is (configuration manual 8.3). */
import type { LogRecord } from './record.ts';
import { type Severity, severities } from './syslog.ts';

export interface LogPolicy {
  readonly dontLogNull: boolean;
  readonly dontLogNormal: boolean;
  readonly logSeparateErrors: boolean;
}

/**
 * @param receivedBytes true when at least one byte came from the client, whatever became of it.
 * @returns false when the configuration wants no line for this exchange.
 */
export function shouldLog(policy: LogPolicy, record: LogRecord, receivedBytes: boolean): boolean {
  if (policy.dontLogNull && !receivedBytes) return false;
  return !(policy.dontLogNormal && isNormal(record));
}

/** Syslog level of an exchange's line: info, or err for what went wrong under `option log-separate-errors`. */
export function lineLevel(policy: LogPolicy, record: LogRecord): Severity {
  return policy.logSeparateErrors && !isNormal(record) ? severities.err : severities.info;
}

/**
 * "Without any error, timeout, retry nor redispatch", and no status 5xx (manual 8.3.4). A request answered by ourselves
 * (cause L) is normal.
 */
function isNormal(record: LogRecord): boolean {
  const cause = record.terminationCause;
  if (record.redispatched || (cause !== '-' && cause !== 'L')) return false;
  if (cause === '-' && record.retries > 0) return false;
  return record.status < 500;
}
