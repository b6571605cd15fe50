/** Which process is behind a TCP connection on this machine, from /proc (Linux). */

import { readdir, readFile, readlink } from 'node:fs/promises'

const LOCAL_ADDRESS = 1
const INODE = 9

/** The process, among these, that has the socket with this local port; undefined if none of them has. */
export async function processWithPort(port: number, pids: readonly number[]): Promise<number | undefined> {
  const sockets = await socketsOfPort(port)
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`)
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')
      if (sockets.has(target)) return pid
    }
  }
  return undefined
}

async function socketsOfPort(port: number): Promise<Set<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
  return new Set(rows.filter((row) => row[LOCAL_ADDRESS]?.endsWith(suffix)).map((row) => `socket:[${row[INODE]}]`))
}
