/** How many requests a server may have at a moment (manual 5.2 maxconn, minconn, slowstart; 4.2 fullconn). */

export const unlimited = 0x7fff_ffff;

/**
 * Between minconn and maxconn in proportion to the backend's load of `fullconn`; while the server warms up only the percentage
 * reached, but at least one.
 * @param maxconn 0 = no limit.
 * @param load requests that the backend serves and that wait in it.
 * @param warmUp percent, 100 = not in slowstart.
 */
export function dynamicLimit(maxconn: number, minconn: number, fullconn: number, load: number, warmUp: number): number {
  if (maxconn === 0) return unlimited;
  const isDynamic = minconn > 0 && minconn < maxconn && load < fullconn;
  const limit = isDynamic ? Math.max(minconn, Math.trunc((load * maxconn) / fullconn)) : maxconn;
  return warmUp >= 100 ? limit : Math.max(1, Math.trunc((limit * warmUp) / 100));
}
