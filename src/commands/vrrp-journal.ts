/** Where the VRRP daemon's lines go: syslog, the console, or both, as Keepalived's -l, -D, -G and -S say. */
import { createLogSink, type SyslogSink } from '../adapters/syslog.ts';
import { stderrIsJournal } from '../adapters/systemd.ts';
import { localZone } from '../adapters/zone.ts';
import { SyslogFramer, severities } from '../core/log/syslog.ts';
import type { Journal } from '../engine/ports/logs.ts';

const daemonFacility = 3;
const local0 = 16;
const lineBytesMax = 1_024;

export interface JournalOptions {
  readonly console: boolean;
  readonly detail: boolean;
  readonly syslog: boolean;
  /** 0 to 7 for LOCAL0 to LOCAL7; undefined = daemon. */
  readonly facility: number | undefined;
}

export class DaemonJournal implements Journal {
  readonly #options: JournalOptions;
  readonly #sink: SyslogSink | undefined;
  readonly #framer: SyslogFramer;
  readonly #journal = stderrIsJournal();
  readonly #line = new Uint8Array(lineBytesMax + 1);

  constructor(options: JournalOptions) {
    this.#options = options;
    // The journal also answers at /dev/log: every line would stand there twice.
    this.#sink =
      options.syslog && !this.#journal ? createLogSink([{ to: { kind: 'unix', path: '/dev/log' } }]) : undefined;
    this.#framer = new SyslogFramer(
      {
        facility: options.facility === undefined ? daemonFacility : local0 + options.facility,
        level: severities.debug,
        minLevel: severities.emerg,
        format: 'local',
        length: lineBytesMax,
        tag: 'evergate-vrrp',
        hostname: '',
        sample: undefined,
      },
      process.pid,
      localZone,
    );
  }

  log(severity: 'info' | 'notice' | 'warning' | 'err', message: string): void {
    const wallMs = Date.now();
    if (this.#journal) process.stderr.write(`<${severities[severity]}>${message}\n`);
    else if (this.#options.console) process.stderr.write(`${dateOf(wallMs)}: ${message}\n`);
    if (this.#sink === undefined) return;
    const text = new TextEncoder().encode(message);
    const end = this.#framer.frame(severities[severity], wallMs, text, 0, text.length, this.#line, 0);
    this.#sink.send(0, this.#line, 0, end);
  }

  detail(message: string): void {
    if (this.#options.detail) this.log('info', message);
  }

  close(): void {
    this.#sink?.close();
  }
}

/** As ctime(3), which Keepalived prints: `Sun Nov 22 07:47:36 2026`. */
function dateOf(wallMs: number): string {
  const date = new Date(wallMs);
  const day = String(date.getDate()).padStart(2, ' ');
  const [weekday, month] = [date.toDateString().slice(0, 3), date.toDateString().slice(4, 7)];
  return `${weekday} ${month} ${day} ${date.toTimeString().slice(0, 8)} ${date.getFullYear()}`;
}
