/** A machine that runs one node's program: it starts it, loses it at a boundary, and starts it again on the same disk. */

import { prng } from '../src/base/prng.ts'
import type { Ports } from '../src/node/ports.ts'
import { createBlobs } from './fakes/blobs.ts'
import { type Database, openDatabase } from './fakes/database.ts'
import { createDisk, type Disk } from './fakes/disk.ts'
import { createJobs } from './fakes/jobs.ts'
import { createProcess, type Process } from './fakes/process.ts'
import { createStore } from './fakes/store.ts'
import { type Change, createTables, type Tables } from './fakes/tables.ts'
import type { NodePlan, Plan } from './plan.ts'
import type { Scheduler } from './scheduler.ts'

/** What a program runs on. Planted bugs replace a port here. */
export type PortsWrapper = (
  ports: Ports,
  node: { readonly name: string; readonly disk: Disk; readonly process: Process },
) => Ports

export interface Memory {
  readonly ledger: Map<string, string>
}

export interface NodeOptions<App> {
  readonly scheduler: Scheduler
  readonly name: string
  readonly plan: Plan
  readonly nodePlan: NodePlan
  /** Whether things may still go wrong. */
  readonly chaos: () => boolean
  readonly wrap?: PortsWrapper
  readonly wrapDisk?: (name: string, disk: Disk) => Disk
  /** Sees every commit; `memory.ledger` is the observer's own, kept from run to run. */
  readonly observe: (name: string, changes: readonly Change[], memory: Memory) => void
  /** Builds and starts the program. */
  readonly start: (ports: Ports, process: Process) => Promise<App>
}

export interface SimulatedNode<App> {
  readonly name: string
  readonly disk: Disk
  /** The running program; undefined while the process is down or still starting. */
  app(): App | undefined
  /** The database of the latest run. */
  tables(): Tables
  boot(): void
  crashes(): number
}

export function createNode<App>(options: NodeOptions<App>): SimulatedNode<App> {
  const { scheduler, name, nodePlan } = options
  const disk = options.wrapDisk?.(name, createDisk()) ?? createDisk()
  const memory: Memory = { ledger: new Map() }
  let tables = createTables()
  let app: App | undefined
  let runs = 0

  function boot(): void {
    const run = runs++
    const crash = nodePlan.crashes[run]
    let passed = 0
    const fate = (label: string): boolean =>
      crash !== undefined && options.chaos() && label.startsWith(crash.boundary) && ++passed > crash.survives
    const process = createProcess(scheduler, name, fate, () => {
      app = undefined
      disk.crash(scheduler.random)
      scheduler.trace(name, 'dies')
      scheduler.after(crash?.downMs ?? 0, boot)
    })
    scheduler.trace(name, 'starts')
    const database = openDatabase(process, disk)
    database.onCommit((changes) => options.observe(name, changes, memory))
    tables = database.tables
    const ports = portsOf(options, process, disk, database, run)
    void launch(options.wrap?.(ports, { name, disk, process }) ?? ports, process)
  }

  async function launch(ports: Ports, process: Process): Promise<void> {
    const started = await options.start(ports, process)
    if (process.alive()) app = started
  }

  return { name, disk, app: () => app, tables: () => tables, boot, crashes: () => Math.max(0, runs - 1) }
}

function portsOf<App>(
  { scheduler, name, plan, nodePlan, chaos }: NodeOptions<App>,
  process: Process,
  disk: Disk,
  database: Database,
  run: number,
): Ports {
  const jumps = name === 'hub' ? 0 : (plan.private?.clockJumpMs ?? 0) * (run % 3)
  const steady = (): number => Math.floor(scheduler.now() + nodePlan.clockSkewMs)
  const clock = { now: () => steady() + (chaos() ? jumps : 0) }
  const secrets = prng(`secrets/${plan.seed}/${name}/${run}`)
  const storeFaults = {
    get serialisationFailure() {
      return chaos() ? plan.store.serialisationFailure : 0
    },
  }
  const jobFaults = {
    delayMsMax: plan.jobs.delayMsMax,
    get duplicate() {
      return chaos() ? plan.jobs.duplicate : 0
    },
  }
  return {
    store: createStore(process, database, storeFaults),
    jobs: createJobs(process, database, steady, jobFaults),
    blobs: createBlobs(process, disk),
    clock,
    random: { bytes: (length) => Uint8Array.from({ length }, () => secrets.below(256)) },
  }
}
