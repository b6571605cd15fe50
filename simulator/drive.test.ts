import { assert, asyncProperty, integer, nat } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBlobs } from './fakes/blobs.ts'
import { openDatabase } from './fakes/database.ts'
import { createDisk } from './fakes/disk.ts'
import { createJobs } from './fakes/jobs.ts'
import { createProcess, type Fate } from './fakes/process.ts'
import { createStore } from './fakes/store.ts'
import { createScheduler } from './scheduler.ts'
import { canonicalJson } from '../src/base/canonical.ts'
import { EntenteError, fail } from '../src/base/errors.ts'
import type { DriveEffect, Machine } from '../src/base/machine.ts'
import { createDrive, type DriveLog, type Perform, replay } from '../src/node/drive.ts'
import { testEnvelope } from '../src/node/ports.suite.ts'

/** Counts; asks for an echo, for a timer, or for another stream to count; refuses what a test wants refused. */
interface CountState {
  readonly count: number
  readonly seen: readonly string[]
}
interface CountEvent {
  readonly name: string
  readonly next?: DriveEffect | { readonly type: 'echo'; readonly event: CountEvent }
  readonly refuse?: 'round-closed' | 'unavailable'
  readonly defect?: boolean
}

const counter: Machine<CountState, CountEvent, unknown> = {
  kind: 'counter',
  initial: () => ({ count: 0, seen: [] }),
  step(state, event) {
    if (event.refuse !== undefined) fail(event.refuse, 'the test asked for it')
    if (event.defect === true) throw new TypeError('a defect')
    const counted = { count: state.count + 1, seen: [...state.seen, event.name] }
    const records = [{ collection: 'counts', key: event.name, value: counted.count }]
    return { state: counted, effects: event.next === undefined ? [] : [event.next], records }
  },
}

function echo(effect: { event: CountEvent }): Promise<{ stream: string; event: CountEvent }[]> {
  return Promise.resolve([{ stream: 'counter/echo', event: effect.event }])
}

function openNode(options: { seed?: string; perform?: Perform; fate?: Fate; duplicate?: number } = {}) {
  const scheduler = createScheduler(options.seed ?? 'drive')
  const disk = createDisk()
  const logged: string[] = []
  const log: DriveLog = {
    warn: (_, message) => void logged.push(message),
    error: (_, message) => void logged.push(message),
  }
  const clock = { now: () => Math.floor(scheduler.now()) }

  function boot(fate: Fate = () => false) {
    const process = createProcess(scheduler, 'node', fate, () => disk.crash(scheduler.random))
    const database = openDatabase(process, disk)
    const store = createStore(process, database)
    const jobs = createJobs(process, database, clock.now, { duplicate: options.duplicate ?? 0.2, delayMsMax: 10 })
    const drive = createDrive({ store, jobs, clock, log }, [counter], options.perform ?? echo)
    return { process, store, drive, database, blobs: createBlobs(process, disk) }
  }

  return { ...boot(options.fate), boot, scheduler, clock, logged, disk }
}

/** Lets time pass until a promise is settled. */
async function within<T>(node: { scheduler: ReturnType<typeof createScheduler> }, work: Promise<T>): Promise<T> {
  let settled = false
  const noted = work.finally(() => void (settled = true))
  noted.catch(() => undefined)
  await node.scheduler.run({ done: () => settled })
  return noted
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof EntenteError ? error.code : error),
  )

describe('drive', () => {
  it('stores event, state, records and effects together', async () => {
    const node = openNode()
    const next = { type: 'echo', event: { name: 'b' } } as const
    const outcome = await within(node, node.drive.dispatch('counter/a', { name: 'a', next }, { id: 'e1' }))
    expect(outcome).toEqual({ applied: true, state: { count: 1, seen: ['a'] } })
    expect(await within(node, node.store.readRecord('counts', 'a'))).toBe(1)
    expect([...node.database.tables.jobs.values()]).toEqual([
      { id: 'counter/a/0/0', stream: 'counter/a', effect: next },
    ])
    expect(await within(node, node.drive.read('counter/none'))).toBeUndefined()
  })

  it('applies an event id once (D1)', async () => {
    const node = openNode()
    await within(node, node.drive.dispatch('counter/a', { name: 'a' }, { id: 'e1' }))
    const again = await within(node, node.drive.dispatch('counter/a', { name: 'other' }, { id: 'e1' }))
    expect(again).toEqual({ applied: false, state: { count: 1, seen: ['a'] } })
    expect((await within(node, node.drive.dispatch('counter/b', { name: 'a' }, { id: 'e1' }))).applied).toBe(true)
  })

  it('refuses an envelope id that its sender has used before, and stores nothing', async () => {
    const node = openNode()
    const envelope = testEnvelope('m1')
    await within(node, node.drive.dispatch('counter/a', { name: 'a' }, { id: 'e1', envelope }))
    const replayed = node.drive.dispatch('counter/b', { name: 'b' }, { id: 'e2', envelope })
    expect(await within(node, codeOf(replayed))).toBe('envelope-replayed')
    expect(await within(node, node.drive.read('counter/b'))).toBeUndefined()
  })

  it('stores nothing of a refused event, its envelope neither, and gives the caller the refusal (D2)', async () => {
    const node = openNode()
    const refused = node.drive.dispatch(
      'counter/a',
      { name: 'a', refuse: 'round-closed' },
      { id: 'e1', envelope: testEnvelope('m1') },
    )
    expect(await within(node, codeOf(refused))).toBe('round-closed')
    expect(await within(node, node.drive.read('counter/a'))).toBeUndefined()
    const later = node.drive.dispatch('counter/a', { name: 'a' }, { id: 'e1', envelope: testEnvelope('m1') })
    expect((await within(node, later)).applied).toBe(true)
  })

  it('calls a stream without a machine, and a machine that breaks, a defect', async () => {
    const node = openNode()
    expect(await within(node, codeOf(node.drive.dispatch('nobody/a', {}, { id: 'e1' })))).toBe('internal')
    expect(
      await within(node, codeOf(node.drive.dispatch('counter/a', { name: 'a', defect: true }, { id: 'e1' }))),
    ).toBe('internal')
    expect(() =>
      createDrive({ store: node.store, jobs: undefined as never, clock: node.clock }, [counter, counter], echo),
    ).toThrow(/same kind/)
  })

  it('carries out timers at their time, dispatches, and effects once each, whatever is repeated (D3)', async () => {
    const node = openNode({ duplicate: 1 })
    const at = node.clock.now() + 5_000
    await within(node, node.drive.start())
    const timer = { type: 'after', at, event: { name: 'timer' } } as const
    const dispatched = { type: 'dispatch', stream: 'counter/b', event: { name: 'dispatched', next: timer } } as const
    const echoed = { type: 'echo', event: { name: 'echoed', next: dispatched } } as const
    await within(node, node.drive.dispatch('counter/a', { name: 'a', next: echoed }, { id: 'e1' }))
    await node.scheduler.run({ until: at - 1 })
    expect(node.database.tables.streams.get('counter/b')?.state).toEqual({ count: 1, seen: ['dispatched'] })
    await node.scheduler.run()
    expect(node.database.tables.streams.get('counter/b')?.state).toEqual({ count: 2, seen: ['dispatched', 'timer'] })
    expect(node.database.tables.streams.get('counter/echo')?.state).toEqual({ count: 1, seen: ['echoed'] })
    expect(node.database.tables.jobs.size).toBe(0)
  })

  it('ends an effect whose event the machine refuses for good, and says so in the log', async () => {
    const node = openNode()
    await within(node, node.drive.start())
    const next = { type: 'after', at: 0, event: { name: 'b', refuse: 'round-closed' } } as const
    await within(node, node.drive.dispatch('counter/a', { name: 'a', next }, { id: 'e1' }))
    await node.scheduler.run()
    expect(node.database.tables.jobs.size).toBe(0)
    expect(new Set(node.logged)).toEqual(new Set(['an effect was refused and will not be tried again']))
  })

  it('tries again what may succeed later, and gives its events the same ids', async () => {
    let attempts = 0
    const ids = new Set<string>()
    const perform: Perform = async (_, context) => {
      ids.add(`${context.stream} ${context.id}`)
      if (++attempts < 4) fail('unavailable', 'not now')
      return ['x', 'y'].map((name) => ({ stream: 'counter/echo', event: { name } }))
    }
    const node = openNode({ perform, duplicate: 0 })
    await within(node, node.drive.start())
    await within(
      node,
      node.drive.dispatch('counter/a', { name: 'a', next: { type: 'echo', event: { name: 'b' } } }, { id: 'e1' }),
    )
    await node.scheduler.run()
    expect(attempts).toBe(4)
    expect([...ids]).toEqual(['counter/a counter/a/0/0'])
    const events = node.database.tables.streams.get('counter/echo')?.events
    expect(events?.map(({ id }) => id)).toEqual(['counter/a/0/0/0', 'counter/a/0/0/1'])
  })

  it('loses nothing acknowledged and repeats nothing, at whatever point the process dies; events replay to the state (D4, P7)', async () => {
    await assert(
      asyncProperty(integer({ min: 0, max: 80 }), nat(), async (dieAt, seed) => {
        let points = 0
        const node = openNode({ seed: String(seed), fate: () => points++ === dieAt })
        const acknowledged: string[] = []
        void node.drive.start()
        for (const name of ['a', 'b', 'c', 'd']) {
          const follow = { type: 'dispatch', stream: 'counter/b', event: { name } } as const
          const next = { type: 'echo', event: { name, next: follow } } as const
          void node.drive.dispatch('counter/a', { name, next }, { id: name }).then(() => acknowledged.push(name))
        }
        await node.scheduler.run()
        const survivor = node.process.alive() ? node : node.boot()
        void survivor.drive.start()
        await node.scheduler.run()
        const { streams } = survivor.database.tables
        const seenBy = (stream: string) =>
          ((streams.get(stream)?.state as CountState | undefined)?.seen ?? []).toSorted()
        expect(seenBy('counter/a')).toEqual(expect.arrayContaining(acknowledged))
        expect(new Set(seenBy('counter/a')).size).toBe(seenBy('counter/a').length)
        expect(seenBy('counter/echo')).toEqual(seenBy('counter/a'))
        expect(seenBy('counter/b')).toEqual(seenBy('counter/a'))
        for (const [id, { events, state }] of streams)
          expect(canonicalJson(replay(counter, id, events as never))).toBe(canonicalJson(state))
      }),
      { numRuns: 300 },
    )
  })
})
