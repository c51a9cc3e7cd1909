/**
 * One mail over SMTP as a client speaks it (RFC 5321): the server's replies go in, what to send next comes out. No sockets here.
 * HELO, MAIL, RCPT for each recipient, DATA, the message, QUIT: what Keepalived's `smtp_alert` needs; no extensions, so no EHLO.
 */

/** A reply line has 512 octets at most (RFC 5321 §4.5.3.1.5). */
const replyLineMax = 512;
/** Lines of one reply: no reply to these commands has more than a greeting's few. */
const replyLinesMax = 100;

export interface Mail {
  /** What follows HELO. */
  readonly helo: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
}

/** `end`: the server has the mail, or `failure` says why not; `text` may still be sent first. */
export type SmtpStep =
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'end'; readonly text: string; readonly failure: string | undefined };

export class SmtpSession {
  readonly #mail: Mail;
  /** Commands that wait, each with the first digit of the reply that it needs to the one before. */
  readonly #commands: { readonly text: string; readonly after: '2' | '3' }[];
  #sent = 'the connection';
  #waiting = '';
  #lines = 0;
  #ended = false;

  constructor(mail: Mail) {
    this.#mail = mail;
    this.#commands = [
      { text: `HELO ${oneLine(mail.helo)}`, after: '2' },
      { text: `MAIL FROM:<${mailbox(mail.from)}>`, after: '2' },
      ...mail.to.map((to) => ({ text: `RCPT TO:<${mailbox(to)}>`, after: '2' as const })),
      { text: 'DATA', after: '2' },
      { text: `${messageText(this.#mail)}\r\n.`, after: '3' },
    ];
  }

  /** Bytes from the server, as Latin-1 text of any length. Nothing comes after `end`. */
  received(text: string): SmtpStep[] {
    const steps: SmtpStep[] = [];
    this.#waiting += text;
    for (let end = this.#waiting.indexOf('\n'); end >= 0 && !this.#ended; end = this.#waiting.indexOf('\n')) {
      const line = this.#waiting.slice(0, end).trimEnd();
      this.#waiting = this.#waiting.slice(end + 1);
      const step = this.#line(line);
      if (step !== undefined) steps.push(step);
    }
    if (!this.#ended && this.#waiting.length > replyLineMax) steps.push(this.#end('the server sends no lines'));
    return steps;
  }

  #line(line: string): SmtpStep | undefined {
    const reply = /^([2-5])\d\d([ -]|$)/.exec(line);
    if (reply === null || ++this.#lines > replyLinesMax) return this.#end(`no SMTP reply: ${printable(line)}`);
    // `250-…`: another line of the same reply follows.
    if (reply[2] === '-') return undefined;
    this.#lines = 0;
    const next = this.#commands.shift();
    const expected = next?.after ?? '2';
    if (reply[1] !== expected) return this.#end(`the server says to ${this.#sent}: ${printable(line)}`);
    if (next === undefined) return this.#end(undefined);
    this.#sent = next.after === '3' ? 'the message' : next.text;
    return { kind: 'send', text: `${next.text}\r\n` };
  }

  #end(failure: string | undefined): SmtpStep {
    this.#ended = true;
    return { kind: 'end', text: 'QUIT\r\n', failure };
  }
}

/** The message (RFC 5322), lines with CRLF, a dot at a line's start doubled (RFC 5321 §4.5.2). */
function messageText(mail: Mail): string {
  const lines = [
    `Date: ${new Date(mail.wallMs).toUTCString().replace('GMT', '+0000')}`,
    `From: ${oneLine(mail.from)}`,
    `Subject: ${oneLine(mail.subject)}`,
    'X-Mailer: Evergate',
    `To: ${mail.to.map(oneLine).join(', ')}`,
    '',
    ...mail.body.split('\n'),
  ];
  return lines.map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n');
}

/** `Name <a@b>` or `a@b`: the address for the envelope. */
function mailbox(address: string): string {
  return oneLine(/<([^<>]*)>/.exec(address)?.[1] ?? address);
}

/** What a command or header line can't hold would begin a new one. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\0]+/g, ' ');
}

function printable(line: string): string {
  return line.slice(0, 200).replace(/[^ -~]/g, '?');
}
