/** State changes in HAProxy's words, so that what people grep for and alert on stays the same. */
import type { BackendBoard } from '../board/backend.ts';

/** Severities (RFC 5424) that HAProxy gives them. */
export const severity = { serverDown: 1, serverUp: 5, health: 5, backendDown: 0, maintenance: 5 } as const;

export function serverDown(backend: BackendBoard, server: number, cause: string, requeued: number): string {
  return `${name(backend, server)} is DOWN${cause}${whatIsLeft(backend, server, requeued)}`;
}

export function serverUp(backend: BackendBoard, server: number, cause: string, requeued: number): string {
  const { active, backups } = backend.summary;
  return (
    `${name(backend, server)} is UP${cause}. ${active} active and ${backups} backup servers online.${onBackup(backend)} ` +
    `${requeued} sessions requeued, ${backend.queued[server]} total in queue.`
  );
}

/** @param kind `backend`, or `proxy` for a `listen` section. */
export function noServerLeft(kind: 'backend' | 'proxy', backend: string): string {
  return `${kind} ${backend} has no server available!`;
}

/** @param reason from core/health/result.ts, `status` from core/health/health.ts. */
export function healthCheck(
  backend: BackendBoard,
  server: number,
  passed: boolean,
  reason: string,
  status: string,
): string {
  const plan = backend.plan.servers[server];
  const which = plan.backup ? 'backup server' : 'server';
  return `Health check for ${which} ${backend.plan.name}/${plan.name} ${passed ? 'succeeded' : 'failed'}${reason}, status: ${status}.`;
}

export function goingToMaintenance(backend: BackendBoard, server: number, cause: string, requeued: number): string {
  return `${name(backend, server)} is going DOWN for maintenance (${cause})${whatIsLeft(backend, server, requeued)}`;
}

export function resolvesAgain(backend: BackendBoard, server: number): string {
  return `${name(backend, server)} ('${backend.plan.servers[server].hostname ?? ''}') is UP/READY (resolves again).`;
}

function name(backend: BackendBoard, server: number): string {
  const plan = backend.plan.servers[server];
  return `${plan.backup ? 'Backup ' : ''}Server ${backend.plan.name}/${plan.name}`;
}

function whatIsLeft(backend: BackendBoard, server: number, requeued: number): string {
  const { active, backups } = backend.summary;
  return (
    `. ${active} active and ${backups} backup servers left.${onBackup(backend)} ` +
    `${backend.served[server]} sessions active, ${requeued} requeued, ${backend.queued[server]} remaining in queue.`
  );
}

function onBackup(backend: BackendBoard): string {
  const { active, backups } = backend.summary;
  return active === 0 && backups > 0 ? ' Running on backup.' : '';
}
