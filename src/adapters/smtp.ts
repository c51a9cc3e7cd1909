/** The Mails port: one mail after the other to one server, each on a connection of its own, none of them waited for. */
import { connect } from 'node:net';
import { smtpAlerts as limits } from '../core/limits.ts';
import { type Mail, SmtpSession } from '../core/smtp.ts';
import type { MailServer, Mails } from '../engine/ports/mails.ts';

interface Waiting {
  readonly server: MailServer;
  readonly mail: Mail;
  readonly ended: (failure: string | undefined) => void;
}

export class SmtpMails implements Mails {
  #waiting: Waiting[] = [];
  #busy = false;

  send(server: MailServer, mail: Mail, ended: (failure: string | undefined) => void): void {
    if (this.#waiting.length >= limits.mailsWaitingMax) {
      setImmediate(() => ended('too many mails wait for the server'));
      return;
    }
    this.#waiting.push({ server, mail, ended });
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const next = this.#waiting.shift();
    this.#busy = next !== undefined;
    if (next === undefined) return;
    deliver(next.server, next.mail, (failure) => {
      next.ended(failure);
      this.#next();
    });
  }
}

/** `ended` is called once, never from inside this call. */
function deliver(server: MailServer, mail: Mail, ended: (failure: string | undefined) => void): void {
  const session = new SmtpSession(mail);
  const socket = connect({ host: server.host, port: server.port });
  let done = false;
  const end = (failure: string | undefined) => {
    if (done) return;
    done = true;
    ended(failure);
  };
  // From one step to the next, the first of which is the connection (smtp_connect_timeout).
  socket.setTimeout(server.timeoutMs, () => {
    end(`no answer within ${server.timeoutMs / 1000} s`);
    socket.destroy();
  });
  socket.on('data', (bytes) => {
    for (const step of session.received(bytes.toString('latin1'))) {
      if (step.kind === 'send') socket.write(step.text);
      else {
        socket.end(step.text);
        end(step.failure);
      }
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  socket.on('close', () => end('the server closed the connection'));
}
