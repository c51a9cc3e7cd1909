/** Listening sockets of the Plan: one for each address and each port of a range. */
import type { BindLine, BindSettings } from '../config/haproxy/config.ts';
import type { SocketAddress } from '../core/address.ts';
import type { BindPlan } from './balancer.ts';
import type { BuildContext } from './balancer-world.ts';

export function bindPlans(
  context: BuildContext,
  lines: readonly BindLine[],
  frontend: { readonly maxconn: number; readonly backlog: number },
): readonly BindPlan[] {
  const plans = lines.flatMap((line) => {
    const common = commonPlan(context, line.settings, frontend);
    return line.addresses.flatMap(({ value, place }) => {
      const first = context.socketAddress(value, place, 0);
      if (first === undefined) return [];
      if (first.family === 'unix' || value.kind === 'unix' || value.port === undefined)
        return [{ ...common, address: first }];
      const ports = Array.from(
        { length: value.port.last - value.port.first + 1 },
        (_, index) => value.port!.first + index,
      );
      return ports.map((port) => ({ ...common, address: { ...first, port } satisfies SocketAddress }));
    });
  });
  if (plans.length > 1) refuseMaxconn(context, lines);
  return plans;
}

/** Connections are counted for a frontend. Where it has one socket, that is the socket's `maxconn` too. */
function refuseMaxconn(context: BuildContext, lines: readonly BindLine[]): void {
  for (const { settings } of lines)
    if ((settings.maxconn?.value ?? 0) > 0)
      context.alert(
        'unsupported-word',
        settings.maxconn!.place,
        "'maxconn' of one socket among several of a frontend is not supported yet.",
        "write 'maxconn' in the frontend, or give this address a frontend of its own",
      );
}

function commonPlan(
  context: BuildContext,
  settings: BindSettings,
  frontend: { readonly maxconn: number; readonly backlog: number },
): Omit<BindPlan, 'address'> {
  return {
    name: settings.name?.value,
    maxconn: settings.maxconn?.value ?? 0,
    backlog: settings.backlog?.value ?? frontend.backlog,
    v6only: settings.v6only?.value ?? false,
    transparent: settings.transparent?.value ?? false,
    interface: settings.interface?.value,
    mode: settings.mode?.value,
    uid: settings.uid?.value ?? numericId(context, 'user', settings.user),
    gid: settings.gid?.value ?? numericId(context, 'group', settings.group),
    deferAccept: settings.deferAccept?.value ?? false,
    tcpUserTimeoutMs: settings.tcpUserTimeoutMs?.value ?? 0,
  };
}

function numericId(context: BuildContext, kind: 'user' | 'group', name: BindSettings['user']): number | undefined {
  if (name === undefined) return undefined;
  const id = kind === 'user' ? context.world.userId(name.value) : context.world.groupId(name.value);
  if (id === undefined)
    context.alert('missing-reference', name.place, `'${kind}' : unknown ${kind} name '${name.value}'.`);
  return id;
}
