/**
 * How soon the server finds out that a client's machine is gone. A killed process closes its connections; a machine that
 * loses power does not, and by default PostgreSQL asks after two hours. Until then the dead session keeps its row locks
 * and its sign of life, so that no other process, nor the same one after a reboot, could go on with its work.
 */

const SECONDS = { tcp_keepalives_idle: 5, tcp_keepalives_interval: 2, tcp_keepalives_count: 3 } as const

/** Settings of every connection: a silent machine is given up after 5 + 3 * 2 seconds. Ignored on Unix sockets. */
export const SESSION_OPTIONS = Object.entries(SECONDS)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ')
