/** A Docker engine of our own, on a site's network, with stand-ins for the base images that the shipped Dockerfiles name. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { removeGroup, tied, undoAtExit } from './leftovers.ts';
import { must, type Ran, runProgram, type Site } from './site.ts';

/** What the stand-in for Debian's image has besides a minimal Debian: the certificates are needed where the registries' need them. */
export const imagePackages = ['ca-certificates'];

export class Engine {
  readonly #site: Site;
  readonly #home: string;
  readonly #config: string;
  readonly #group = `evergate-${process.pid}-docker`;
  readonly #remove: () => void;
  #daemon: ChildProcess | undefined;

  constructor(site: Site) {
    this.#site = site;
    this.#home = join(site.folder, 'docker');
    this.#config = join(this.#home, 'config');
    this.#remove = undoAtExit(() => {
      this.#daemon?.kill('SIGKILL');
      for (const hierarchy of ['', ...readdirSync(groups)]) removeGroup(join(groups, hierarchy, this.#group));
    });
  }

  get socket(): string {
    return join(this.#home, 'docker.sock');
  }

  /** Starts the daemon. @param plugins a folder with docker-compose and docker-buildx. */
  async start(plugins: string): Promise<void> {
    mkdirSync(join(this.#config, 'cli-plugins'), { recursive: true });
    for (const plugin of ['docker-compose', 'docker-buildx'])
      copyFileSync(join(plugins, plugin), join(this.#config, 'cli-plugins', plugin));
    const proxies = {
      default: { httpProxy: this.#site.proxyUrl, httpsProxy: this.#site.proxyUrl, noProxy: '127.0.0.1,localhost' },
    };
    writeFileSync(join(this.#config, 'config.json'), JSON.stringify({ proxies }));
    const [program, ...rest] = [
      ...this.#site.inside,
      ...tied,
      // The first process in there has to reap what containers leave: a shell does.
      ...['sh', '-c', '"$@" & wait', 'sh'],
      ...['dockerd', '--host', `unix://${this.socket}`, '--userland-proxy=false'],
      ...['--data-root', join(this.#home, 'data'), '--exec-root', join(this.#home, 'exec')],
      ...['--pidfile', join(this.#home, 'pid'), '--cgroup-parent', `/${this.#group}`],
    ];
    this.#daemon = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#daemon.stdout!, this.#daemon.stderr!])
      stream.on('data', (text) => appendFileSync(join(this.#home, 'log'), text));
    for (let tries = 0; (await this.docker(['info'])).status !== 0; tries++) {
      if (tries === 100)
        throw new Error(`dockerd does not start:\n${readFileSync(join(this.#home, 'log'), 'utf8').slice(-3000)}`);
      await pause(100);
    }
  }

  async docker(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    return await runProgram(['docker', ...argv], {
      env: { ...process.env, DOCKER_HOST: `unix://${this.socket}`, DOCKER_CONFIG: this.#config, ...env },
    });
  }

  async must(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    return must(await this.docker(argv, env), ['docker', ...argv]);
  }

  /**
   * Makes the base images from one Debian root: Debian itself, Node's image and nginx's. Each gets what the real one has of what our
   * Dockerfiles use, and this machine's certificates, in case the way to the registries needs them.
   */
  async standIns(archive: string): Promise<void> {
    await this.must(['import', archive, 'debian:bookworm-slim']);
    const folder = join(this.#home, 'bases');
    mkdirSync(folder, { recursive: true });
    const certificates = '/etc/ssl/certs/ca-certificates.crt';
    copyFileSync(certificates, join(folder, 'ca.crt'));
    copyFileSync(process.execPath, join(folder, 'node'));
    await exec(['cp', '-r', await npmFolder(), join(folder, 'npm')]);
    writeFileSync(join(folder, 'apt'), `Acquire::http::Proxy "${this.#site.proxyUrl}";\n`);
    writeFileSync(
      join(folder, 'Debian'),
      'FROM debian:bookworm-slim\nCOPY ca.crt /etc/ssl/certs/ca-certificates.crt\nCOPY apt /etc/apt/apt.conf.d/90proxy\n',
    );
    writeFileSync(
      join(folder, 'Node'),
      `FROM debian:bookworm-slim
RUN apt-get update && apt-get install --no-install-recommends -y libatomic1 libstdc++6
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
`,
    );
    writeFileSync(
      join(folder, 'Nginx'),
      `FROM debian:bookworm-slim
RUN apt-get update && apt-get install --no-install-recommends -y nginx-light && mkdir -p /usr/share/nginx/html && sed -i 's#root /var/www/html;#root /usr/share/nginx/html;#' /etc/nginx/sites-available/default
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
`,
    );
    for (const [file, tag] of [
      ['Debian', 'debian:bookworm-slim'],
      ['Node', 'node:26-bookworm-slim'],
      ['Nginx', 'nginx:1.28-bookworm'],
    ])
      await this.must(['build', '--quiet', '-f', join(folder, file!), '-t', tag!, folder]);
  }

  /** Nothing in it is worth an orderly end: all its processes and mounts are gone at once. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon !== undefined && daemon.exitCode === null && daemon.signalCode === null) {
      const gone = once(daemon, 'exit');
      daemon.kill('SIGKILL');
      await gone;
    }
    this.#remove();
  }
}

/** Where the control groups are, of either version. */
const groups = '/sys/fs/cgroup';

/** npm's own folder: what the command `npm` leads into. */
async function npmFolder(): Promise<string> {
  const argv = ['sh', '-c', 'realpath "$(command -v npm)"'];
  return dirname(dirname(must(await runProgram(argv), argv).trim()));
}

async function exec(argv: readonly string[]): Promise<void> {
  must(await runProgram(argv), argv);
}
