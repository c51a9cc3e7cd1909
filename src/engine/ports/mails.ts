import type { Mail } from '../../core/smtp.ts';

/** Who takes mails (SMTP, RFC 5321), without TLS and without a password, as Keepalived's `smtp_server`. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** For the connection, and for each reply. */
  readonly timeoutMs: number;
}

export interface Mails {
  /** Sends in the order of the calls. `ended` is called exactly once, never from inside this call, with the reason of a failure. */
  send(server: MailServer, mail: Mail, ended: (failure: string | undefined) => void): void;
}
