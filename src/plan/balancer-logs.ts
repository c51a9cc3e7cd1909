/** Log targets and log formats of the Plan. */

import type { HaproxyConfig, LogLine, ProxySettings } from '../config/haproxy/config.ts';
import { parseLogFormat } from '../core/log/parse.ts';
import { httpLog, httpLogClf, tcpLog } from '../core/log/standard.ts';
import type { LogTarget, Mode, ProxyLogPlan } from './balancer.ts';
import { effectiveLogSteps } from './balancer-inherit.ts';
import type { BuildContext } from './balancer-world.ts';

/** Port of syslog over UDP (RFC 5426 §3.3). */
const syslogPort = 514;

/** All log targets, each once; adding the same one again gives its index. */
export class LogTargets {
  readonly targets: LogTarget[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #context: BuildContext;
  readonly #global: HaproxyConfig['global'];

  constructor(context: BuildContext, global: HaproxyConfig['global']) {
    this.#context = context;
    this.#global = global;
  }

  add(line: LogLine, tag: string): number | undefined {
    const to = this.#destination(line);
    if (to === undefined) return undefined;
    const { facility, level, minLevel, length, sample } = line;
    // Manual 4.2 log: `local` (rfc3164 without its hostname) is the default, and log-send-hostname makes it rfc3164; consoles too.
    const format = line.format ?? (this.#global.logSendHostname === undefined ? 'local' : 'rfc3164');
    const target: LogTarget = {
      to,
      facility,
      level,
      minLevel,
      format,
      length,
      tag,
      hostname: this.#hostname(),
      sample,
    };
    const key = JSON.stringify(target);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.targets.push(target);
    this.#indexes.set(key, this.targets.length - 1);
    return this.targets.length - 1;
  }

  /** `log-send-hostname`: without it the field is not sent. */
  #hostname(): string {
    const written = this.#global.logSendHostname?.value;
    return written === undefined ? '' : written === '' ? this.#context.world.hostname : written;
  }

  #destination(line: LogLine): LogTarget['to'] | undefined {
    if (line.address.kind === 'fd') return line.address;
    const address = this.#context.socketAddress(line.address, line.place, syslogPort);
    if (address === undefined) return undefined;
    return address.family === 'unix' ? { kind: 'unix', path: address.path } : { kind: 'udp', address };
  }
}

/** `side`: the format is the frontend's affair; the log targets of a backend are for its health checks. */
export function proxyLog(
  context: BuildContext,
  name: string,
  settings: ProxySettings,
  mode: Mode,
  global: HaproxyConfig['global'],
  targets: LogTargets,
  side: 'frontend' | 'backend',
): ProxyLogPlan {
  const tag = settings.logTag?.value ?? global.logTag?.value ?? 'haproxy';
  const lines = effectiveLogSteps(settings.logs).flatMap((step) => {
    if (step.kind === 'line') return [step.line];
    return step.kind === 'global' ? global.logs.slice(0, step.count) : [];
  });
  const indexes = [...new Set(lines.flatMap((line) => targets.add(line, tag) ?? []))];
  const on = (key: keyof ProxySettings['switches']): boolean => settings.switches[key]?.value ?? false;
  return {
    targets: indexes,
    format: side === 'frontend' ? formatText(context, name, settings, mode) : undefined,
    dontLogNull: on('dontlognull'),
    dontLogNormal: on('dontlog-normal'),
    logAsap: on('logasap'),
    logSeparateErrors: on('log-separate-errors'),
  };
}

function formatText(context: BuildContext, name: string, settings: ProxySettings, mode: Mode): string | undefined {
  const format = settings.logFormat;
  if (format === undefined) return undefined;
  switch (format.value.kind) {
    case 'httplog':
    case 'httplog-clf':
      if (mode === 'http') return format.value.kind === 'httplog' ? httpLog : httpLogClf;
      context.warn(
        'conflict',
        format.place,
        `'option httplog' not usable with proxy '${name}' (needs 'mode http'). Falling back to 'option tcplog'.`,
      );
      return tcpLog;
    case 'tcplog':
      return tcpLog;
    default: {
      const parsed = parseLogFormat(format.value.text, mode);
      if (parsed.ok) return format.value.text;
      context.alert(
        parsed.message.includes('not supported yet') ? 'unsupported-word' : 'bad-value',
        format.place,
        `'log-format' of proxy '${name}', character ${parsed.column}: ${parsed.message}`,
      );
      return undefined;
    }
  }
}
