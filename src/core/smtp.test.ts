import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Mail, SmtpSession } from './smtp.ts';

const mail: Mail = {
  helo: 'lb1.example.org',
  from: 'Balancer <lb1@example.org>',
  to: ['ops@example.org', 'Bob <bob@example.org>'],
  subject: '[LVS_X] VRRP Instance web - Entering MASTER state',
  body: 'first\n.second\n',
  wallMs: Date.UTC(2026, 10, 22, 11, 2, 47),
};

function play(replies: readonly string[]): { said: string[]; failure: string | undefined } {
  const session = new SmtpSession(mail);
  const said: string[] = [];
  let failure: string | undefined = 'unfinished';
  for (const reply of replies)
    for (const step of session.received(reply)) {
      said.push(step.text);
      if (step.kind === 'end') failure = step.failure;
    }
  return { said, failure };
}

test('a mail: envelope, headers, doubled dot, QUIT', () => {
  const { said, failure } = play([
    '220-hello\r\n220 go\r\n',
    '250 a\r\n',
    '250 b\r\n',
    '250 c\r\n',
    '250 d\r\n',
    '354 e\r\n',
    '250 f\r\n',
  ]);
  assert.equal(failure, undefined);
  assert.deepEqual(said, [
    'HELO lb1.example.org\r\n',
    'MAIL FROM:<lb1@example.org>\r\n',
    'RCPT TO:<ops@example.org>\r\n',
    'RCPT TO:<bob@example.org>\r\n',
    'DATA\r\n',
    'Date: Sun, 22 Nov 2026 11:02:47 +0000\r\nFrom: Balancer <lb1@example.org>\r\n' +
      'Subject: [LVS_X] VRRP Instance web - Entering MASTER state\r\nX-Mailer: Evergate\r\n' +
      'To: ops@example.org, Bob <bob@example.org>\r\n\r\nfirst\r\n..second\r\n\r\n.\r\n',
    'QUIT\r\n',
  ]);
});

test('replies in pieces are put together', () => {
  const session = new SmtpSession(mail);
  assert.deepEqual(session.received('22'), []);
  assert.deepEqual(session.received('0 hel'), []);
  assert.equal(session.received('lo\r\n').length, 1);
});

test('a refusal ends it, and says to what', () => {
  assert.deepEqual(play(['220 x\r\n', '250 x\r\n', '550 not you\r\n']), {
    said: ['HELO lb1.example.org\r\n', 'MAIL FROM:<lb1@example.org>\r\n', 'QUIT\r\n'],
    failure: 'the server says to MAIL FROM:<lb1@example.org>: 550 not you',
  });
  assert.match(play(['SSH-2.0\r\n']).failure ?? '', /no SMTP reply: SSH-2.0/);
  assert.match(play(['2'.repeat(600)]).failure ?? '', /no lines/);
});

test('a line break in a word of the configuration makes no header of its own', () => {
  const session = new SmtpSession({ ...mail, subject: 'a\r\nBcc: x@example.org', to: ['a@b\r\nDATA'] });
  const said = ['220 x', '250 x', '250 x', '250 x', '354 x'].flatMap((reply) =>
    session.received(`${reply}\r\n`).map(({ text }) => text),
  );
  assert.equal(said[2], 'RCPT TO:<a@b DATA>\r\n');
  assert.match(said[4] ?? '', /\r\nSubject: a Bcc: x@example.org\r\n/);
});

test('whatever the server sends: no exception, and nothing after the end', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('220 a\r\n', '250 b\r\n', '354 c\r\n', '250-'))),
      (pieces) => {
        const session = new SmtpSession(mail);
        let ended = 0;
        for (const piece of pieces) {
          const steps = session.received(piece);
          if (ended > 0) assert.deepEqual(steps, []);
          ended += steps.filter(({ kind }) => kind === 'end').length;
        }
        assert.ok(ended <= 1);
      },
    ),
  );
});
