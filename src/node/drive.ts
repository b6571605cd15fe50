/**
 * The one place where a machine meets the world. Event, new state, records and effects are stored in one transaction;
 * only then are the effects carried out, by workers, each under the id `stream/seq/n`. A crash before the commit leaves
 * nothing; a crash after it leaves jobs that any process of the node takes over.
 *
 * D1  an event id changes a stream at most once
 * D2  a refused event leaves no trace
 * D3  every effect of a stored event is carried out at least once, under an id that never changes
 * D4  replaying the stored events gives the stored state, unless the machine had them forgotten
 */

import type { Envelope } from '../base/envelope.ts'
import { EntenteError, fail } from '../base/errors.ts'
import type { DriveEffect, Machine, Step } from '../base/machine.ts'
import type { Job, Ports, Transaction } from './ports.ts'

export type AnyMachine = Machine<unknown, unknown, unknown>

/** An event on its way to a stream of this node. */
export interface Dispatch {
  readonly stream: string
  readonly event: unknown
}

export interface EffectContext {
  /** `stream/seq/n`: the idempotency key of whatever the effect does. */
  readonly id: string
  /** The stream whose event caused the effect. */
  readonly stream: string
}

/**
 * Carries out an effect that drive does not know. It may run more than once under one id, also at the same time in
 * another process. The dispatches that it returns get the ids `id/0`, `id/1`, ...: they count once.
 */
export type Perform = (effect: never, context: EffectContext) => Promise<readonly Dispatch[]>

/** Shaped like a pino logger. */
export interface DriveLog {
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

export interface DispatchOptions {
  /** Unique in its stream: the second event of an id is not applied. */
  readonly id: string
  /** The authenticated envelope that brought the event; kept as evidence in the same transaction. */
  readonly envelope?: Envelope
}

export interface Outcome {
  /** False if an event of this id was applied before. */
  readonly applied: boolean
  /** The state after the event; of a repeated event, the state as it is now. */
  readonly state: unknown
}

export interface Drive {
  /**
   * Stores an event and what follows from it, or nothing.
   * @throws the machine's refusal; envelope-replayed if the sender used the envelope's id before; internal for defects.
   */
  dispatch(stream: string, event: unknown, options: DispatchOptions): Promise<Outcome>
  /** State of a stream, or undefined if it has no events. */
  read(stream: string): Promise<unknown>
  /** Begins to carry out effects, those left over from earlier processes among them. */
  start(): Promise<void>
  /** Takes no further effects and waits for those under way. */
  stop(): Promise<void>
}

export type DrivePorts = Pick<Ports, 'store' | 'jobs' | 'clock'> & { readonly log?: DriveLog }

/** Part of a stream id before the first `/`. */
export function kindOf(stream: string): string {
  return stream.split('/', 1)[0] ?? stream
}

/** The state that a stream's events lead to: the same in every process and after any crash (P7). */
export function replay<State, Event, Effect>(
  machine: Machine<State, Event, Effect>,
  stream: string,
  events: readonly { readonly event: Event }[],
): State {
  return events.reduce((state, { event }) => machine.step(state, event).state, machine.initial(stream))
}

export function createDrive(ports: DrivePorts, machines: readonly AnyMachine[], perform: Perform): Drive {
  const { store, jobs, clock, log } = ports
  const byKind = new Map(machines.map((machine) => [machine.kind, machine]))
  if (byKind.size !== machines.length) fail('internal', 'two machines claim the same kind of stream')

  function machineOf(stream: string): AnyMachine {
    return byKind.get(kindOf(stream)) ?? fail('internal', `no machine drives the stream ${stream}`)
  }

  async function dispatch(stream: string, event: unknown, options: DispatchOptions): Promise<Outcome> {
    const machine = machineOf(stream)
    return store.transact((transaction) => applyEvent(transaction, machine, stream, event, options))
  }

  /** Carries out one job. Returning ends the job; throwing has it tried again. */
  async function carryOut(job: Job): Promise<void> {
    const effect = job.effect as DriveEffect
    if (effect.type === 'after') return deliver(job, { stream: job.stream, event: effect.event }, job.id)
    if (effect.type === 'dispatch') return deliver(job, effect, job.id)
    const dispatches = await unlessTerminal(job, () => perform(effect as never, { id: job.id, stream: job.stream }))
    for (const [k, follow] of (dispatches ?? []).entries()) await deliver(job, follow, `${job.id}/${k}`)
  }

  async function deliver(job: Job, follow: Dispatch, id: string): Promise<void> {
    await unlessTerminal(job, () => dispatch(follow.stream, follow.event, { id }))
  }

  /** A refusal that will be the same next time ends the effort: it must not be tried for ever. */
  async function unlessTerminal<T>(job: Job, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      const details = {
        job: job.id,
        effect: effectType(job),
        waitedMs: clock.now() - (job.runAt ?? clock.now()),
        error,
      }
      if (error instanceof EntenteError && !error.retryable) {
        log?.warn(details, 'an effect was refused and will not be tried again')
        return undefined
      }
      log?.error(details, 'an effect failed and will be tried again')
      throw error
    }
  }

  return {
    dispatch,
    read: async (stream) => (await store.readStream(stream))?.state,
    start: () => jobs.start(carryOut),
    stop: () => jobs.stop(),
  }
}

async function applyEvent(
  transaction: Transaction,
  machine: AnyMachine,
  stream: string,
  event: unknown,
  { id, envelope }: DispatchOptions,
): Promise<Outcome> {
  const held = await transaction.lockStream(stream)
  if (held !== undefined && (await transaction.hasEvent(stream, id))) return { applied: false, state: held.state }
  if (envelope !== undefined && !(await transaction.recordEnvelope(envelope)))
    fail('envelope-replayed', `${envelope.header.from} has used the envelope id ${envelope.header.id} before`)

  const seq = held?.seq ?? 0
  const {
    state,
    effects,
    records = [],
    forget,
  } = stepOf(machine, held === undefined ? machine.initial(stream) : held.state, event)
  await transaction.append(stream, { seq, id, event }, state)
  if (forget === true) await transaction.forgetEvents(stream)
  if (records.length > 0) await transaction.writeRecords(records)
  if (effects.length > 0) await transaction.enqueue(effects.map((effect, n) => jobOf(stream, seq, n, effect)))
  return { applied: true, state }
}

function stepOf(machine: AnyMachine, state: unknown, event: unknown): Step<unknown, unknown> {
  try {
    return machine.step(state, event)
  } catch (cause) {
    if (cause instanceof EntenteError) throw cause
    throw new EntenteError('internal', `the machine "${machine.kind}" failed: ${String(cause)}`, { cause })
  }
}

function jobOf(stream: string, seq: number, n: number, effect: unknown): Job {
  const job = { id: `${stream}/${seq}/${n}`, stream, effect }
  const timer = effect as Partial<Extract<DriveEffect, { type: 'after' }>>
  return timer.type === 'after' && timer.at !== undefined ? { ...job, runAt: timer.at } : job
}

function effectType(job: Job): unknown {
  return (job.effect as { type?: unknown }).type
}
