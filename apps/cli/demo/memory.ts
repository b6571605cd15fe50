/** Peak memory of this process and all its descendants, from /proc. */

import { readdirSync, readFileSync } from 'node:fs'

const SAMPLE_MS = 500

interface Sample {
  readonly rss: number
  readonly pss: number
}

export interface MemoryPeaks {
  /** Highest sum of resident set sizes, bytes: what adding up `ps` gives. A page that several share counts in each. */
  readonly peakRssBytes: number
  /** Highest sum of proportional set sizes, bytes: shared pages count once. Null where the system does not tell. */
  readonly peakPssBytes: number | null
}

export interface MemoryWatch {
  peaks(): MemoryPeaks
  stop(): void
}

/** Samples twice a second until stopped; on a system without /proc the peaks are this process's own. */
export function watchMemory(): MemoryWatch {
  let peakRss = process.memoryUsage.rss()
  let peakPss = 0
  function sample(): void {
    const { rss, pss } = sampleTree(process.pid)
    peakRss = Math.max(peakRss, rss)
    peakPss = Math.max(peakPss, pss)
  }
  const timer = setInterval(sample, SAMPLE_MS)
  timer.unref()
  return {
    peaks: () => ({ peakRssBytes: peakRss, peakPssBytes: peakPss > 0 ? peakPss : null }),
    stop: () => {
      sample()
      clearInterval(timer)
    },
  }
}

function sampleTree(root: number): Sample {
  let rss = 0
  let pss = 0
  for (const pid of descendants(root)) {
    rss += kilobytes(`/proc/${pid}/status`, 'VmRSS') * 1024
    pss += kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss') * 1024
  }
  return { rss, pss }
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of processIds()) {
    const parent = parentOf(entry)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), entry])
  }
  const found = [root]
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i] ?? 0) ?? []))
  return found
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    // No /proc on this system: only this process can be measured.
    return []
  }
}

function parentOf(pid: number): number | undefined {
  const status = read(`/proc/${pid}/status`)
  const match = /^PPid:\s+(\d+)/m.exec(status)
  return match?.[1] === undefined ? undefined : Number(match[1])
}

function kilobytes(file: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(file))
  return Number(match?.[1] ?? 0)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The process ended between the listing and this read, or belongs to another user: it counts nothing.
    return ''
  }
}
