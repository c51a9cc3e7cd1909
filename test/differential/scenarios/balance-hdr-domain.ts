import { abc, type Scenario, serverLines, web } from '../scenario.ts';

const hosts = ['www.example.com', 'img.example.com', 'www.example.org', 'a.b.example.net', 'localhost'];

export const scenario: Scenario = {
  title: 'hdr(host) use_domain_only chooses by the registered part of the name',
  config: web(`balance hdr(host) use_domain_only
  ${serverLines}`),
  servers: abc,
  clients: hosts.map((host) => ({
    to: 'web',
    steps: [{ send: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n` }, { responses: 1 }],
  })),
};
