import { abc, get, type Scenario, web } from '../scenario.ts';

export const scenario: Scenario = {
  title: 'log-format: variables, flags and merged spaces',
  config: web(
    'server a {server:a}',
    'log-format "%{+Q}o x  %ci:%cp %fi:%fp %f %ft %b %s %si:%sp %bi %ST %B %U %ts %tsc %rc %HM %HU %HP %HPO %HQ %HV %r %hr %hs %CC %{-Q}CS %ac/%fc/%bc/%sc %sq/%bq %{+X}ci %lc %% end"',
  ),
  servers: abc,
  clients: [
    { to: 'web', steps: [get('/p/"q\\]{|}?a=b'), { responses: 1 }] },
    {
      to: 'web',
      steps: [{ send: 'POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello' }, { responses: 1 }],
    },
    { to: 'web', steps: [{ send: 'BAD\r\n\r\n' }, { end: true }] },
  ],
};
