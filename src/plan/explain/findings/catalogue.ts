/** All findings: what is wrong, what it leads to, what to write instead. docs/explain.md is made from this. */

import type { Severity } from '../../../config/diagnostic.ts';

export interface FindingKind {
  readonly severity: Severity;
  readonly title: string;
  readonly reason: string;
  readonly remedy: string;
}

/** Severity by consequence: `alert` two active nodes or none, `warning` a failure that is not survived as meant, `notice` the rest. */
export const catalogue = {
  // ------------------------------------------------------------ files that can't hear each other
  'virtual-router-id-differs': {
    severity: 'alert',
    title: 'one address, different virtual_router_id',
    reason: "each node ignores the other's advertisements, so both become active and hold the address at the same time",
    remedy: 'write the same virtual_router_id in all files',
  },
  'version-differs': {
    severity: 'alert',
    title: 'different VRRP versions',
    reason: 'a router drops advertisements of another version, so both nodes become active',
    remedy: 'write the same version (or vrrp_version) in all files',
  },
  'interval-differs': {
    severity: 'alert',
    title: 'different advert_int in version 2',
    reason: 'version 2 drops advertisements with another interval, so both nodes become active',
    remedy: 'write the same advert_int in all files',
  },
  'interval-differs-v3': {
    severity: 'notice',
    title: 'different advert_int in version 3',
    reason:
      'the backup follows the interval of whoever is active, so a failover takes another time depending on which node fails',
    remedy: 'write the same advert_int in all files',
  },
  'authentication-differs': {
    severity: 'alert',
    title: 'different authentication',
    reason: 'advertisements with another auth_type or auth_pass are dropped, so both nodes become active',
    remedy: 'write the same authentication block in all files (the first 8 characters of auth_pass count)',
  },
  'checksum-differs': {
    severity: 'alert',
    title: 'v3_checksum_as_v2 on one node only',
    reason:
      'Keepalived drops advertisements whose checksum is made the other way, so both nodes become active; Evergate takes either and says so in the log',
    remedy: 'write v3_checksum_as_v2 in all files (RFC 9568), or in none',
  },
  'transport-differs': {
    severity: 'alert',
    title: 'multicast against unicast, or different groups or families',
    reason: "the advertisements don't reach the other node or are dropped there, so both nodes become active",
    remedy: 'write unicast_peer in all files or in none, and the same multicast group',
  },
  'peer-not-named': {
    severity: 'alert',
    title: 'a unicast_peer list without a node of the cluster',
    reason: "a node that isn't named hears nothing, takes the others for dead and becomes active beside them",
    remedy: 'name every other node in unicast_peer, by the address that it sends from (unicast_src_ip)',
  },
  'addresses-differ': {
    severity: 'alert',
    title: 'different virtual_ipaddress lists',
    reason:
      'Keepalived before 2.3.3 drops an advertisement with another list, so both nodes become active; Evergate and newer Keepalived accept it, but only one node has the additional address',
    remedy: 'write the same addresses in all files; what must differ belongs in virtual_ipaddress_excluded',
  },
  'interface-differs': {
    severity: 'notice',
    title: 'different interface names',
    reason:
      'advertisements reach only nodes on the same network: if these are different networks, both nodes become active',
    remedy: 'check that the two interfaces are on the same network',
  },
  'without-partner': {
    severity: 'warning',
    title: 'a virtual router in one file only',
    reason: 'no other node takes the address over',
    remedy: 'write the vrrp_instance in the other files too, or remove it',
  },
  // ------------------------------------------------------------ priorities and weights
  'weight-cannot-move': {
    severity: 'warning',
    title: 'a weight that can never move the address',
    reason: 'whatever the check says, the same node stays active',
    remedy: 'make the weight larger than the distance of the priorities, or write weight 0: then a failure means FAULT',
  },
  'weight-against-nopreempt': {
    severity: 'warning',
    title: 'a weight, and nopreempt on the other node',
    reason: 'a node with nopreempt never takes over from one that still advertises, however low its priority',
    remedy: 'write weight 0, so that a failure means FAULT, or remove nopreempt from the other node',
  },
  'weights-dropped': {
    severity: 'warning',
    title: 'a weighted check that does not count',
    reason:
      "the weights of a sync group's members count only with sync_group_tracking_weight, and those of priority 255 never: the check has no effect",
    remedy: 'write weight 0 where it is tracked (failure then means FAULT)',
  },
  'equal-priorities': {
    severity: 'warning',
    title: 'equal running priorities',
    reason:
      "who is active depends on who came first, and of two that start together on who has the higher address; the files don't say who is preferred",
    remedy: 'write different priorities',
  },
  'master-without-priority': {
    severity: 'warning',
    title: 'state MASTER without priority',
    reason:
      'it gets priority 255, the owner of the address: it takes over the moment it starts, and no weight ever changes its priority',
    remedy: 'write a priority from 1 to 254',
  },
  'owner-priority': {
    severity: 'warning',
    title: 'priority 255',
    reason:
      '255 means that the node owns the address: it takes over the moment it starts, without listening first, and no weight ever changes its priority',
    remedy: 'write a priority from 1 to 254',
  },
  'sync-group-torn': {
    severity: 'warning',
    title: 'a sync group whose members prefer different nodes',
    reason:
      'a node is active for all members or none, so neither can take over from the other, and after a split both give up and the addresses are nowhere for seconds',
    remedy: 'give all members of the group the same priority, and the nodes different ones',
  },
  // ------------------------------------------------------------ checks
  'nothing-tracked': {
    severity: 'warning',
    title: 'nothing tracked',
    reason:
      "with Keepalived the address stays in front of a balancer that died; with `evergate run` the balancer's own readiness counts",
    remedy: 'track the balancer: track_process, or a track_script that asks it for an answer',
  },
  'script-not-tracked': {
    severity: 'warning',
    title: 'a vrrp_script that nothing tracks',
    reason: 'it is never run, and its failure moves nothing',
    remedy: 'name it in track_script of the vrrp_instance, or remove it',
  },
  'only-existence': {
    severity: 'warning',
    title: 'a script that only proves that a process exists',
    reason:
      'a process that hangs, or is a zombie, still exists: with Keepalived the address stays in front of it; with `evergate run` readiness counts too',
    remedy: 'ask the balancer for an answer, for example curl --fail --max-time 1 http://127.0.0.1/',
  },
  'only-existence-process': {
    severity: 'notice',
    title: 'track_process alone',
    reason:
      "it notices at once that a process ends, but not that it hangs; with `evergate run` the balancer's readiness counts too",
    remedy: 'add a track_script that asks the balancer for an answer',
  },
  'primary-not-tracked': {
    severity: 'warning',
    title: 'dont_track_primary',
    reason:
      'a node that loses its link stays active beside its successor, and when the link returns there are two until they hear each other',
    remedy: 'remove dont_track_primary',
  },
  // ------------------------------------------------------------ returning and announcing
  'nopreempt-with-master': {
    severity: 'warning',
    title: 'nopreempt with state MASTER',
    reason: 'state MASTER cancels nopreempt: the node takes the address back as soon as it returns',
    remedy: 'write state BACKUP in all files; the priority decides',
  },
  'nopreempt-on-lower': {
    severity: 'notice',
    title: 'nopreempt on the lower node only',
    reason:
      "nopreempt keeps a node from taking over from a lower one; the preferred node doesn't have it and takes the address back when it returns",
    remedy: 'write nopreempt on the node with the higher priority too, or nowhere',
  },
  'preempt-delay-ignored': {
    severity: 'warning',
    title: 'preempt_delay that does not count',
    reason:
      "state MASTER, nopreempt and strict mode cancel preempt_delay: the node doesn't wait before it takes the address back",
    remedy: 'write state BACKUP and leave nopreempt and vrrp_strict out',
  },
  'preempt-delay-slows': {
    severity: 'warning',
    title: 'preempt_delay on the node that should take over',
    reason:
      'preempt_delay also holds a node back when a failed check has only lowered the priority of the active one: the failover waits as long',
    remedy: 'write preempt_delay on the preferred node only, or give the check weight 0',
  },
  'back-before-checked': {
    severity: 'notice',
    title: 'the preferred node takes over before its checks have an answer',
    reason:
      'at boot it may become active before a slow check has ended, and leave again when the check fails: the address flaps',
    remedy:
      'write a timeout for the script that is shorter than the take-over, weight 0, vrrp_startup_delay or preempt_delay',
  },
  'no-garp-refresh': {
    severity: 'notice',
    title: 'no garp_master_refresh',
    reason:
      'the address is announced when a node becomes active and once more after garp_master_delay; who misses both, or hears the loser of a healed partition last, sends to the wrong node until its ARP entry expires',
    remedy: 'write garp_master_refresh 60 or so',
  },
  // ------------------------------------------------------------ words that don't mean what they seem to
  'password-too-long': {
    severity: 'notice',
    title: 'auth_pass longer than 8 characters',
    reason: 'only the first 8 characters are sent and compared: passwords that differ later are the same',
    remedy: 'write at most 8 characters',
  },
  'authentication-ignored': {
    severity: 'notice',
    title: 'authentication in version 3 or strict mode',
    reason: 'there is no authentication there: everybody on the network can advertise',
    remedy: 'remove the authentication block, or keep strangers out with a firewall',
  },
  'duplicate-virtual-router-id': {
    severity: 'alert',
    title: 'one virtual_router_id twice on an interface',
    reason: 'each instance takes the other one for its own router, so an address is not where its priority says',
    remedy: 'write another virtual_router_id in one of them',
  },
  // ------------------------------------------------------------ haproxy.cfg beside keepalived.conf
  'address-not-bound': {
    severity: 'warning',
    title: 'a virtual address that no bind covers',
    reason: 'whoever holds the address, connections to it are refused',
    remedy: 'bind to the virtual address, or to all addresses (bind :80)',
  },
  'bind-to-virtual-address': {
    severity: 'warning',
    title: 'bind to the virtual address without transparent',
    reason:
      "the standby doesn't have the address: the balancer doesn't start there unless net.ipv4.ip_nonlocal_bind (for IPv6 net.ipv6.ip_nonlocal_bind) is 1",
    remedy: 'bind to all addresses (bind :80), write transparent, or set the sysctl on every node',
  },
  'server-is-virtual-address': {
    severity: 'alert',
    title: 'a server that is the virtual address itself',
    reason: 'the balancer sends requests to itself, round and round',
    remedy: "write the servers' own addresses",
  },
  'other-process-tracked': {
    severity: 'warning',
    title: 'the check asks for a process that is not the balancer',
    reason: 'haproxy.cfg is for HAProxy: when it dies the check goes on succeeding, and the address stays',
    remedy: 'ask for haproxy (evergate run answers to that name too)',
  },
} as const satisfies Readonly<Record<string, FindingKind>>;

export type FindingName = keyof typeof catalogue;
