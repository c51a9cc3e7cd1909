/** From a few facts about a cluster to its files: a keepalived.conf for each balancer, the haproxy.cfg they share, the Ansible inventory. */

export interface NamedAddress {
  readonly name: string;
  readonly address: string;
}

export interface ClusterFacts {
  /** In the order of preference: the first holds the virtual address while it can serve. Two to ten. */
  readonly balancers: readonly NamedAddress[];
  readonly servers: readonly NamedAddress[];
  readonly virtualAddress: string;
  /** Bits of its network: 1 to 32, or 128 for IPv6. */
  readonly prefixLength: number;
  readonly interface: string;
  /** 1 to 255. */
  readonly routerId: number;
  readonly port: number;
  readonly serverPort: number;
}

export interface ClusterFile {
  readonly name: string;
  readonly text: string;
}

/** The preferred node's; each further one has one less. Far below 255, which means something else (RFC 9568 §5.2.4). */
const highestPriority = 110;

export function clusterFiles(facts: ClusterFacts): readonly ClusterFile[] {
  return [
    { name: 'haproxy.cfg', text: haproxyCfg(facts) },
    ...facts.balancers.map(({ name }, index) => ({
      name: `keepalived-${name}.conf`,
      text: keepalivedConf(facts, index),
    })),
    { name: 'inventory.yml', text: inventory(facts) },
  ];
}

function haproxyCfg({ servers, virtualAddress, port, serverPort }: ClusterFacts): string {
  const lines = servers.map(({ name, address }) => `  server ${name} ${bracketed(address)}:${serverPort}`);
  return `# The same on every balancer.
global
  log /dev/log local0
  log /dev/log local1 notice

defaults
  log global
  mode http
  option httplog
  option dontlognull
  # A server that breaks a connection before it answered: the request goes to another one.
  option redispatch
  retries 3
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout http-request 10s

frontend http_in
  # Every address of the machine: also the virtual one, whoever has it.
  bind ${virtualAddress.includes(':') ? ':::' : ':'}${port}
  default_backend servers

backend servers
  balance roundrobin
  # The servers learn the client's address from X-Forwarded-For.
  option forwardfor
  option httpchk GET /
  http-check expect status 200
  default-server check inter 2s fall 3 rise 2
${lines.join('\n')}
`;
}

function keepalivedConf(facts: ClusterFacts, index: number): string {
  const { balancers, virtualAddress, prefixLength, routerId, port } = facts;
  const self = balancers[index]!;
  const others = balancers.filter((each) => each !== self);
  return `# ${self.name}${index === 0 ? ', the preferred node' : ''}. The nodes differ in router_id, state, priority and the unicast addresses only.
global_defs {
    router_id ${self.name}
    vrrp_version 3
    # Who runs the check below.
    enable_script_security
    script_user nobody
}

# With \`evergate run\` the balancer itself tells when it can't serve. This is for the case that it answers nobody all the same,
# and for running these files with Keepalived.
vrrp_script balancer_answers {
    script "/usr/bin/curl --silent --output /dev/null --max-time 1 http://127.0.0.1:${port}/"
    interval 1
    timeout 2
    fall 2
    rise 1
}

vrrp_instance evergate {
    state ${index === 0 ? 'MASTER' : 'BACKUP'}
    interface ${facts.interface}
    virtual_router_id ${routerId}
    priority ${highestPriority - index}
    # Seconds. A host that vanishes is replaced after three intervals and a bit.
    advert_int 0.1
    # To each other by name: no switch or cloud network has to pass multicast on.
    unicast_src_ip ${self.address}
    unicast_peer {
${others.map(({ address }) => `        ${address}`).join('\n')}
    }
    # Who missed the announcement hears it again.
    garp_master_refresh 60
    virtual_ipaddress {
        ${virtualAddress}/${prefixLength}
    }
    track_script {
        balancer_answers
    }
}
`;
}

function inventory(facts: ClusterFacts): string {
  const { balancers, servers, virtualAddress, prefixLength, routerId, port, serverPort } = facts;
  const host = ({ name, address }: NamedAddress) => `        ${name}:\n          ansible_host: ${quoted(address)}\n`;
  return `# For the playbooks of deploy/ansible: ansible-playbook -i inventory.yml playbooks/site.yml
# All variables and what they are when you set nothing: deploy/ansible/roles/evergate/defaults/main.yml
---
all:
  vars:
    # How to log in, where it is not your own name or ~/.ssh/config knows it: ansible_user: admin
    # What needs root is done through sudo; with a password, add --ask-become-pass. \`false\`: you log in as root, and there is no sudo.
    ansible_become: true
    evergate_virtual_address: ${quoted(`${virtualAddress}/${prefixLength}`)}
    evergate_interface: ${facts.interface}
    evergate_router_id: ${routerId}
    evergate_port: ${port}
    evergate_server_port: ${serverPort}
    # The files that were written beside this one.
    evergate_haproxy_cfg: "{{ inventory_dir }}/haproxy.cfg"
    evergate_keepalived_conf: "{{ inventory_dir }}/keepalived-{{ inventory_hostname }}.conf"
    # \`true\`: also set up nginx with a page on each of the servers.
    evergate_demo_servers: false
  children:
    balancers:
      hosts:
${balancers.map((each, index) => `${host(each)}          evergate_priority: ${highestPriority - index}\n`).join('')}    servers:
      hosts:
${servers.map(host).join('')}`;
}

/** An IPv6 address begins like a YAML flow or a mapping. */
function quoted(text: string): string {
  return text.includes(':') ? `"${text}"` : text;
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
