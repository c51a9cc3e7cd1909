/** The Links port on real interfaces, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enterNetworkNamespace, ip } from '../../test/namespaces/enter.ts';
import { needs } from '../../test/requirements.ts';
import type { AddressRequest, Link, LinkAddress, VmacOptions } from '../engine/ports/links.ts';
import { parseLink } from './netlink-address.ts';
import { NetlinkLinks } from './netlink-links.ts';
import { messageType } from './netlink-message.ts';
import { NetlinkEvents } from './netlink-socket.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip');

test('links and addresses by netlink', { skip }, async (suite) => {
  let links!: NetlinkLinks;
  let index = 0;
  const told: string[] = [];
  let wake: (() => void) | undefined;
  const tell = (line: string) => {
    told.push(line);
    wake?.();
  };
  const heard = async (line: string) => {
    while (!told.includes(line)) await new Promise<void>((resolve) => (wake = resolve));
  };
  const request = (change: Partial<AddressRequest>): AddressRequest => ({
    interfaceIndex: index,
    family: 'ipv4',
    address: '10.9.0.240',
    prefix: 32,
    label: undefined,
    scope: undefined,
    broadcast: undefined,
    peer: undefined,
    home: false,
    noPrefixRoute: false,
    lifetimeSeconds: undefined,
    deprecated: false,
    ...change,
  });
  const shown = () => ip('-d addr show dev eth0');
  // The suite's own handle: signals alone don't keep the process alive.
  const alive = setInterval(() => {}, 60_000);
  suite.after(() => {
    clearInterval(alive);
    links.close();
  });

  await suite.test('a look at what is there, and events for what changes', async () => {
    enterNetworkNamespace();
    ip('link add eth0 type veth peer name far0');
    ip('addr add 10.9.0.1/24 dev eth0');
    links = new NetlinkLinks();
    links.watch({
      linkChanged: (link: Link) => tell(`${link.name} ${link.up ? 'up' : 'down'} ${link.running ? 'running' : 'dead'}`),
      linkRemoved: (link: Link) => tell(`${link.name} removed`),
      addressAdded: (address: LinkAddress) => tell(`+${address.address}/${address.prefix}`),
      addressRemoved: (address: LinkAddress) => tell(`-${address.address}/${address.prefix}`),
      routeRemoved: (words) => tell(`-${words.join(' ')}`),
      ruleRemoved: (words) => tell(`-${words.join(' ')}`),
    });
    const eth0 = links.link('eth0');
    assert.ok(eth0 !== undefined);
    index = eth0.index;
    assert.equal(eth0.up, false);
    assert.equal(eth0.hardwareAddress.length, 6);
    assert.equal(eth0.mtu, 1500);
    assert.deepEqual(
      links.addresses().filter((address) => address.interfaceIndex === index),
      [{ interfaceIndex: index, family: 'ipv4', address: '10.9.0.1', prefix: 24, scope: 0, tentative: false }],
    );
    ip('link set far0 up');
    ip('link set eth0 up');
    await heard('eth0 up running');
    ip('link set far0 down');
    await heard('eth0 up dead');
    ip('link set far0 up');
    await heard('eth0 up running');
  });

  await suite.test('an address with label, scope and broadcast, added, told and removed', async () => {
    assert.equal(
      links.addAddress(request({ label: 'eth0:vip', scope: 'link', broadcast: '+', prefix: 28 })),
      undefined,
    );
    assert.match(shown(), /inet 10\.9\.0\.240\/28 brd 10\.9\.0\.255 scope link (secondary )?eth0:vip/);
    await heard('+10.9.0.240/28');
    assert.equal(links.addAddress(request({ label: 'eth0:vip', scope: 'link', prefix: 28 })), undefined, 'again');
    assert.equal(links.removeAddress(request({ prefix: 28 })), undefined);
    await heard('-10.9.0.240/28');
    assert.doesNotMatch(shown(), /10\.9\.0\.240/);
    assert.equal(links.removeAddress(request({ prefix: 28 })), undefined, 'what is gone already is gone');
  });

  await suite.test('a leased address ends by itself unless renewed', async () => {
    assert.equal(links.addAddress(request({ lifetimeSeconds: 60 })), undefined);
    assert.match(shown(), /10\.9\.0\.240\/32 scope global dynamic eth0\s+valid_lft 60sec preferred_lft 60sec/);
    assert.equal(links.addAddress(request({ lifetimeSeconds: 1 })), undefined);
    await heard('-10.9.0.240/32');
    assert.doesNotMatch(shown(), /10\.9\.0\.240/);
  });

  await suite.test('IPv6: usable at once, and not chosen as source', () => {
    const address = request({ family: 'ipv6', address: '2001:db8::240', prefix: 128, deprecated: true });
    assert.equal(links.addAddress(address), undefined);
    assert.match(shown(), /inet6 2001:db8::240\/128 scope global nodad deprecated/);
    assert.equal(links.removeAddress(address), undefined);
  });

  await suite.test('failures are told by name', () => {
    assert.equal(links.addAddress(request({ interfaceIndex: 4711 })), 'ENODEV');
    assert.equal(links.addAddress(request({ address: '10.9.0.300' })), 'EINVAL');
  });

  await suite.test('an address that others remove is told', async () => {
    assert.equal(links.addAddress(request({ prefix: 25 })), undefined);
    ip('addr del 10.9.0.240/25 dev eth0');
    await heard('-10.9.0.240/25');
  });

  await suite.test('every word of a route arrives in the kernel as ip-route(8) writes it', () => {
    const cases: [words: string, family: 'ipv4' | 'ipv6', shown: RegExp][] = [
      [
        '192.0.2.0/28 nexthop via inet 10.9.0.9 dev eth0 weight 2 realms 7 nexthop via inet 10.9.0.8 weight 3 onlink dev eth0',
        'ipv4',
        /192\.0\.2\.0\/28 proto keepalived \n\tnexthop via 10\.9\.0\.9 realm 7 dev eth0 weight 2 \n\tnexthop via 10\.9\.0\.8 dev eth0 weight 3 onlink/,
      ],
      [
        '192.0.2.16/28 via inet 10.9.0.9 dev eth0 realms 3/4 window 3000 rtt 300ms rttvar 1s rto_min 250ms quickack 1',
        'ipv4',
        /realms? 3\/4 window 3000 rtt 300ms rttvar 1s rto_min 250ms quickack 1/,
      ],
      [
        '192.0.2.32/28 dev eth0 mtu lock 1400 hoplimit lock 9 congctl lock reno features ecn fastopen_no_cookie 1 rtt 800',
        'ipv4',
        /mtu lock 1400 rtt 100ms hoplimit lock 9 features ecn congctl lock reno fastopen_no_cookie 1/,
      ],
      [
        '192.0.2.48/28 via inet6 fe80::9 dev eth0 tos 8 append',
        'ipv4',
        /192\.0\.2\.48\/28 tos 0x08 via inet6 fe80::9 dev eth0/,
      ],
      ['broadcast 192.0.2.79 dev eth0', 'ipv4', /broadcast 192\.0\.2\.79 dev eth0 proto keepalived scope link/],
      ['2001:db8:1::/64 via inet6 2001:db8::9 dev eth0 expires 50 pref high', 'ipv6', /expires \d+sec pref high/],
    ];
    ip('addr add 2001:db8::1/64 dev eth0 nodad');
    for (const [words, family, shownAs] of cases) {
      const list = words.split(' ');
      const show = () => ip(`${family === 'ipv6' ? '-6 ' : ''}-s route show table main`);
      assert.equal(links.addRoute(list, family), undefined, words);
      assert.match(show(), shownAs);
      assert.equal(links.addRoute(list, family), undefined, `again: ${words}`);
      assert.equal(links.removeRoute(list, family), undefined, words);
      assert.doesNotMatch(show(), shownAs);
    }
    assert.match(String(links.addRoute(['192.0.2.0/28', 'nexthop', 'foo'], 'ipv4')), /^foo: not a word of a nexthop/);
  });

  await suite.test('every word of a rule arrives in the kernel as ip-rule(8) writes it', () => {
    const cases: [words: string, family: 'ipv4' | 'ipv6', shown: RegExp][] = [
      [
        'ipproto 6 sport 1-10 dport 80 table 9 priority 31',
        'ipv4',
        /^31:.* ipproto tcp sport 1-10 dport 80 lookup 9 proto keepalived/m,
      ],
      [
        'not from 10.9.0.0/24 suppress_prefixlength 0 table 254 priority 32',
        'ipv4',
        /^32:\tnot from 10\.9\.0\.0\/24 lookup main suppress_prefixlength 0/m,
      ],
      ['from 10.9.0.0/24 suppress_ifgroup 5 table 9 priority 33', 'ipv4', /^33:.* lookup 9 suppress_ifgroup 5/m],
      ['uidrange 1-5 table 9 protocol 4 priority 34', 'ipv4', /^34:.* uidrange 1-5 lookup 9 proto static/m],
      ['from 10.9.0.0/24 realms 3/4 table 9 priority 35', 'ipv4', /^35:.* lookup 9 realms 3\/4/m],
      ['from 10.9.1.0/24 nop priority 36', 'ipv4', /^36:\tfrom 10\.9\.1\.0\/24 nop/m],
      ['iif eth0 l3mdev priority 37', 'ipv6', /^37:.* iif eth0 lookup \[l3mdev-table\]/m],
      ['from 10.9.2.0/24 tun_id 77 table 9 priority 38', 'ipv4', /^38:.* tun_id 77 lookup 9/m],
      [
        'fwmark 0x10/0xf0 tos 8 oif eth0 blackhole priority 39',
        'ipv4',
        /^39:.* tos 0x08 fwmark 0x10\/0xf0 oif eth0 blackhole/m,
      ],
    ];
    for (const [words, family, shownAs] of cases) {
      const list = words.split(' ');
      const show = () => ip(`${family === 'ipv6' ? '-6 ' : ''}rule`);
      assert.equal(links.addRule(list, family), undefined, words);
      assert.match(show(), shownAs);
      assert.equal(links.addRule(list, family), undefined, `again: ${words}`);
      assert.equal(links.removeRule(list, family), undefined, words);
      assert.doesNotMatch(show(), shownAs);
    }
  });

  await suite.test('routes and rules with the words of ip-route(8)', () => {
    const route = 'default via 10.9.0.254 dev eth0 src 10.9.0.1 metric 7 table 42 mtu 1400'.split(' ');
    assert.equal(links.addRoute(route, 'ipv4'), undefined);
    assert.match(
      ip('route show table 42'),
      /default via 10\.9\.0\.254 dev eth0 proto keepalived src 10\.9\.0\.1 metric 7 mtu 1400/,
    );
    assert.equal(links.addRoute(route, 'ipv4'), undefined, 'again');
    assert.equal(links.removeRoute(route, 'ipv4'), undefined);
    assert.equal(links.removeRoute(route, 'ipv4'), undefined, 'gone already');
    assert.equal(links.addRoute(['blackhole', '192.0.2.0/24'], 'ipv4'), undefined);
    assert.match(ip('route'), /blackhole 192\.0\.2\.0\/24 proto keepalived/);
    const narrow = '2001:db8:9::/64 from 2001:db8:7::/64 dev eth0'.split(' ');
    assert.equal(links.addRoute(narrow, 'ipv6'), undefined);
    assert.match(ip('-6 route'), /2001:db8:9::\/64 from 2001:db8:7::\/64 dev eth0 proto keepalived/);
    assert.equal(links.removeRoute(narrow, 'ipv6'), undefined);
    assert.doesNotMatch(ip('-6 route'), /2001:db8:9::/);
    assert.match(links.addRoute(['192.0.2.0/24', 'encap'], 'ipv4') ?? '', /encap: not a word/);
    const rule = 'from 10.9.0.0/24 to 192.0.2.0/24 table 42 priority 77'.split(' ');
    assert.equal(links.addRule(rule, 'ipv4'), undefined);
    assert.equal(links.addRule(rule, 'ipv4'), undefined, 'again');
    assert.match(ip('rule'), /77:\tfrom 10\.9\.0\.0\/24 to 192\.0\.2\.0\/24 lookup 42/);
    assert.equal(links.removeRule(rule, 'ipv4'), undefined);
    assert.doesNotMatch(ip('rule'), /lookup 42/);
  });

  await suite.test('routes and rules that others remove are told, own removals are not', async () => {
    const words = (line: string) => line.split(' ');
    const set = [
      ['ipv4', '10.20.0.0/16 dev eth0 metric 5'],
      ['ipv4', '10.21.0.0/16 via inet 10.9.0.254'],
      ['ipv4', '10.22.0.0/16 nexthop via inet 10.9.0.253 dev eth0 nexthop via inet 10.9.0.254 dev eth0'],
      ['ipv6', '2001:db8:20::1/48 dev eth0'],
      ['ipv6', '2001:db8:20::/48 from 2001:db8:7::/48 dev eth0'],
    ] as const;
    for (const [family, line] of set) assert.equal(links.addRoute(words(line), family), undefined, line);
    const rules = [
      ['ipv4', 'from 10.20.0.0/16 iif eth0 table 42 priority 70'],
      ['ipv6', 'to 2001:db8::/32 table 42 priority 71'],
      ['ipv4', 'blackhole fwmark 7/15 priority 72'],
    ] as const;
    for (const [family, line] of rules) assert.equal(links.addRule(words(line), family), undefined, line);
    // Neither an own removal nor somebody's route beside.
    const own = words('10.23.0.0/16 dev eth0');
    links.addRoute(own, 'ipv4');
    links.removeRoute(own, 'ipv4');
    links.addRoute(own, 'ipv4');
    ip('route add 10.20.0.0/16 dev eth0 metric 6');
    ip('route del 10.20.0.0/16 metric 6');
    told.length = 0;
    for (const line of ['10.20.0.0/16', '10.21.0.0/16', '10.22.0.0/16']) ip(`route del ${line}`);
    ip('-6 route del 2001:db8:20::/48');
    ip('-6 route del 2001:db8:20::/48 from 2001:db8:7::/48');
    ip('rule del pref 70');
    ip('-6 rule del pref 71');
    ip('rule del pref 72');
    for (const [, line] of [...set, ...rules]) await heard(`-${line}`);
    assert.deepEqual(
      told.filter((line) => !line.startsWith('+')),
      [...set, ...rules].map(([, line]) => `-${line}`),
    );
    assert.equal(links.removeRoute(own, 'ipv4'), undefined);
  });

  await suite.test('a virtual hardware address (use_vmac)', async () => {
    const base = links.link('eth0');
    assert.ok(base !== undefined);
    const made = links.createVmac(base, 'vrrp.51', Uint8Array.of(0, 0, 0x5e, 0, 1, 51));
    assert.ok('link' in made, JSON.stringify(made));
    assert.equal(made.link.up, true);
    assert.match(
      ip('-d link show dev vrrp.51'),
      /link\/ether 00:00:5e:00:01:33 .*macvlan mode private .*addrgenmode none/s,
    );
    const again = links.createVmac(base, 'vrrp.51', Uint8Array.of(0, 0, 0x5e, 0, 1, 51));
    assert.ok('link' in again);
    assert.equal(again.link.index, made.link.index, 'the one that is there fits');
    const other = links.createVmac(base, 'vrrp.51', Uint8Array.of(0, 0, 0x5e, 0, 1, 52));
    assert.ok('link' in other);
    assert.notEqual(other.link.index, made.link.index, 'the one that is there does not fit');
    assert.match(ip('link show dev vrrp.51'), /00:00:5e:00:01:34/);
    assert.deepEqual(links.createVmac(base, 'far0', Uint8Array.of(0, 0, 0x5e, 0, 1, 52)), { failure: 'EEXIST' });
    assert.ok(links.link('far0') !== undefined);
    assert.match(ip('link show dev vrrp.51'), /group default/);
    ip('link set dev eth0 group 7');
    const grouped = links.createVmac(base, 'vrrp.51', Uint8Array.of(0, 0, 0x5e, 0, 1, 52));
    assert.ok('link' in grouped && grouped.link.index === other.link.index);
    assert.match(ip('link show dev vrrp.51'), /group 7/, 'as the interface below');
    assert.ok('link' in links.createVmac(base, 'vrrp.53', Uint8Array.of(0, 0, 0x5e, 0, 1, 53), { group: 9 }));
    assert.match(ip('link show dev vrrp.53'), /group 9/);
    links.removeLink(links.link('vrrp.53')!.index);
    await heard('vrrp.53 removed');
    ip('link set dev eth0 group default');
    assert.equal(links.removeLink(other.link.index), undefined);
    await heard('vrrp.51 removed');
  });

  await suite.test('a macvlan of which the kernel tells the listeners of its base (netlink_notify_msg)', async () => {
    const base = links.link('eth0');
    assert.ok(base !== undefined);
    let count = 0;
    let removed: (name: string) => void = () => {};
    // RTMGRP_LINK
    const events = new NetlinkEvents(
      0,
      1,
      ({ type, body }) => {
        const link = parseLink(body);
        if (link?.name === 'eth0') count++;
        if (link !== undefined && type === messageType.deleteLink) removed(link.name);
      },
      () => {},
    );
    const messages = async (name: string, options: VmacOptions) => {
      count = 0;
      const gone = new Promise<void>((resolve) => (removed = (link) => link === name && resolve()));
      const made = links.createVmac(base, name, Uint8Array.of(0, 0, 0x5e, 0, 1, 54), options);
      assert.ok('link' in made);
      links.removeLink(made.link.index);
      await gone;
      await heard(`${name} removed`);
      return count;
    };
    const without = await messages('vm54', {});
    assert.equal(await messages('vm55', { tellOfBase: true }), without + 1);
    events.close();
  });

  await suite.test('links made while a change is told are not told of as gone', () => {
    const base = links.link('eth0');
    assert.ok(base !== undefined);
    const gone: string[] = [];
    links.watch({
      linkChanged: ({ name }) => {
        if (name === 'vrrp.60') links.createVmac(base, 'vrrp.61', Uint8Array.of(0, 0, 0x5e, 0, 1, 61));
      },
      linkRemoved: ({ name }) => gone.push(name),
      addressAdded: () => {},
      addressRemoved: () => {},
      routeRemoved: () => {},
      ruleRemoved: () => {},
    });
    assert.ok('link' in links.createVmac(base, 'vrrp.60', Uint8Array.of(0, 0, 0x5e, 0, 1, 60)));
    assert.deepEqual(
      gone.filter((name) => name !== 'vrrp.51'),
      [],
    );
    assert.ok(links.link('vrrp.60') !== undefined && links.link('vrrp.61') !== undefined);
  });
});
