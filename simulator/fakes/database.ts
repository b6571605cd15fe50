/** Commit and recovery of the fake database: a write-ahead log on the node's disk, and the tables that it leads to. */

import type { Disk } from './disk.ts'
import type { Process } from './process.ts'
import { applyChange, type Change, type Tables, tablesOf } from './tables.ts'

export interface Database {
  readonly tables: Tables
  /** Resolves when the changes are durable and visible. */
  commit(changes: readonly Change[], label: string): Promise<void>
  /** Calls back after every commit, with its changes. */
  onCommit(listener: (changes: readonly Change[]) => void): void
}

/** Opens the database of a node on its disk, recovering from whatever crash came before. */
export function openDatabase(process: Process, disk: Disk): Database {
  const { entries, dropped } = disk.recover()
  if (dropped > 0) process.scheduler.trace(process.name, `recovery drops ${dropped} torn frame`)
  const tables = tablesOf(entries)
  const listeners: ((changes: readonly Change[]) => void)[] = []

  /** What one fsync makes durable may be several transactions: they become visible in the order of the log. */
  function sync(): void {
    for (const changes of disk.sync() as readonly (readonly Change[])[]) {
      for (const change of changes) applyChange(tables, change)
      for (const listener of listeners) listener(changes)
    }
  }

  async function commit(changes: readonly Change[], label: string): Promise<void> {
    await process.point(`before commit: ${label}`)
    disk.append(changes)
    await process.point(`before fsync: ${label}`)
    sync()
    await process.point(`after commit: ${label}`)
  }

  return { tables, commit, onCommit: (listener) => void listeners.push(listener) }
}
