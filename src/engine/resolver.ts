/**
 * Addresses of servers whose names are resolved again while the balancer runs (manual 5.3): who is to be asked when, and what the
 * answers mean. Runs in the supervisor, beside the checker.
 *
 * Servers with the same name and name servers share one question. Within a backend each of them has an address of its own, so that a
 * `server-template` spreads over all addresses that a name has.
 */
import type { InetAddress, IpAddress, IpFamily } from '../core/address.ts';
import type { BalancerPlan, ResolversPlan, ServerPlan } from '../plan/balancer.ts';
import type { Alarm, Clock } from './ports/time.ts';

export type AnswerStatus = 'valid' | 'nx' | 'refused' | 'timeout' | 'other';

export type NameAnswer =
  | { readonly status: 'valid'; readonly addresses: readonly IpAddress[] }
  | { readonly status: Exclude<AnswerStatus, 'valid'> };

/** The name servers of the plan's `resolvers` sections. */
export interface NameServers {
  /** Asks those of section `resolvers` (index). `answered` is called once, later; not at all after `close`. */
  ask(resolvers: number, name: string, family: IpFamily, answered: (answer: NameAnswer) => void): void;
  close(): void;
}

export interface ResolverPorts {
  readonly clock: Clock;
  readonly names: NameServers;
  /** The address that a server has now. */
  addressOf(backend: number, server: number): InetAddress | undefined;
  /** The server has another address, or none any more. @param by who says so, @param cause why it has none. */
  changed(backend: number, server: number, address: InetAddress | undefined, told: { by: string; cause: string }): void;
}

/** HAProxy's words for a server that is taken out of service because its name has no address any more. */
const causes: Readonly<Record<Exclude<AnswerStatus, 'valid'>, string>> = {
  nx: 'DNS NX status',
  refused: 'DNS refused status',
  timeout: 'DNS timeout status',
  other: 'unspecified DNS error',
};

export class Resolver {
  readonly #plan: BalancerPlan;
  readonly #ports: ResolverPorts;
  readonly #alarm: Alarm;
  readonly #questions: readonly Question[];

  constructor(plan: BalancerPlan, ports: ResolverPorts) {
    this.#plan = plan;
    this.#ports = ports;
    this.#alarm = ports.clock.alarm(() => this.#ring());
    const questions = new Map<string, Question>();
    for (const backend of plan.backends)
      for (const server of backend.servers) {
        if (server.resolvers < 0 || server.hostname === undefined) continue;
        const key = `${server.resolvers} ${server.resolvePrefer} ${server.hostname}`;
        let question = questions.get(key);
        if (question === undefined) {
          question = new Question(server.hostname, server.resolvers, server.resolvePrefer);
          questions.set(key, question);
        }
        question.servers.push({ backend: backend.index, plan: server });
      }
    this.#questions = [...questions.values()];
  }

  /** Asks at once, and goes on asking. Addresses that were found at the start count as found now. */
  start(): void {
    const now = this.#ports.clock.now();
    for (const question of this.#questions) {
      question.lastValidAt = now;
      question.askAt = now;
    }
    if (this.#questions.length > 0) this.#ring();
  }

  stop(): void {
    this.#alarm.clear();
    this.#ports.names.close();
  }

  #ring(): void {
    const now = this.#ports.clock.now();
    for (const question of this.#questions) if (question.askAt <= now) this.#ask(question);
    this.#setAlarm();
  }

  #setAlarm(): void {
    const next = Math.min(...this.#questions.map(({ askAt }) => askAt));
    if (Number.isFinite(next)) this.#alarm.set(next);
  }

  /** First for the preferred family, then, if that has nothing, for the other (manual 5.2 resolve-prefer). */
  #ask(question: Question): void {
    question.askAt = Number.POSITIVE_INFINITY;
    const { names } = this.#ports;
    const { name, resolvers, prefer } = question;
    names.ask(resolvers, name, prefer, (first) => {
      if (first.status === 'valid') this.#answered(question, first);
      else
        names.ask(resolvers, name, prefer === 'ipv6' ? 'ipv4' : 'ipv6', (second) => this.#answered(question, second));
    });
  }

  #answered(question: Question, answer: NameAnswer): void {
    const now = this.#ports.clock.now();
    const section = this.#plan.resolvers[question.resolvers]!;
    if (answer.status === 'valid') {
      question.lastValidAt = now;
      question.keep(answer.addresses, now, section.holdMs.obsolete);
      this.#assign(question, section);
      question.askAt = now + section.holdMs.valid;
    } else {
      // Manual 5.3.2 hold: a bad answer counts when no good one came for that long.
      if (now - question.lastValidAt >= section.holdMs[answer.status])
        for (const { backend, plan } of question.servers)
          this.#give(backend, plan, undefined, { by: section.name, cause: causes[answer.status] });
      question.askAt = now + section.timeoutResolveMs;
    }
    this.#setAlarm();
  }

  /** Every server keeps the address it has while the name still has it; the others get what nobody in their backend has. */
  #assign(question: Question, section: ResolversPlan): void {
    const free: { backend: number; plan: ServerPlan }[] = [];
    const taken = new Map<number, IpAddress[]>();
    const takenIn = (backend: number) => {
      const list = taken.get(backend) ?? [];
      taken.set(backend, list);
      return list;
    };
    for (const server of question.servers) {
      const now = this.#ports.addressOf(server.backend, server.plan.index);
      const others = takenIn(server.backend);
      if (now !== undefined && question.has(now) && !others.some((other) => sameIp(other, now))) others.push(now);
      else free.push(server);
    }
    for (const { backend, plan } of free) {
      const others = takenIn(backend);
      const found = question.addresses().find((one) => !others.some((other) => sameIp(other, one)));
      if (found !== undefined) others.push(found);
      const address = found === undefined ? undefined : { family: found.family, host: found.host, port: plan.port };
      this.#give(backend, plan, address, { by: section.name, cause: 'No IP for server' });
    }
  }

  #give(
    backend: number,
    plan: ServerPlan,
    address: InetAddress | undefined,
    told: { by: string; cause: string },
  ): void {
    if (address === undefined && this.#ports.addressOf(backend, plan.index) === undefined) return;
    this.#ports.changed(backend, plan.index, address, told);
  }
}

/** One name at one section's name servers. */
class Question {
  readonly name: string;
  readonly resolvers: number;
  readonly prefer: IpFamily;
  readonly servers: { readonly backend: number; readonly plan: ServerPlan }[] = [];
  askAt = Number.POSITIVE_INFINITY;
  lastValidAt = 0;
  /** Addresses, and when an answer had them last. */
  #known: { readonly address: IpAddress; seenAt: number }[] = [];

  constructor(name: string, resolvers: number, prefer: IpFamily) {
    this.name = name;
    this.resolvers = resolvers;
    this.prefer = prefer;
  }

  /** What this answer doesn't have is kept for `hold obsolete`. */
  keep(answer: readonly IpAddress[], now: number, obsoleteMs: number): void {
    for (const address of answer) {
      const known = this.#known.find((one) => sameIp(one.address, address));
      if (known === undefined) this.#known.push({ address, seenAt: now });
      else known.seenAt = now;
    }
    this.#known = this.#known.filter(({ seenAt }) => seenAt === now || now - seenAt < obsoleteMs);
  }

  has(address: IpAddress): boolean {
    return this.#known.some((one) => sameIp(one.address, address));
  }

  addresses(): readonly IpAddress[] {
    return this.#known.map(({ address }) => address);
  }
}

function sameIp(one: IpAddress, other: IpAddress): boolean {
  return one.host === other.host && one.family === other.family;
}
