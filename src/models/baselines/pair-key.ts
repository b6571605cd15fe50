/** One number for an ordered pair of host numbers. */

const HOSTS_MAX = 2 ** 26

export function pairKey(source: number, destination: number): number {
  return source * HOSTS_MAX + destination
}
