import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Machine, type Step } from '../base/machine.ts'
import { replay } from './drive.ts'
import { sealedMachine } from './sealed-machine.ts'
import { createSealer } from './sealer.ts'

const secret = new Uint8Array(32).fill(7)
const sealer = createSealer(secret, 'test')

describe('a sealer', () => {
  it('opens what it sealed, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false } as never), fc.string(), (value, label) => {
        const plain: unknown = JSON.parse(JSON.stringify(value))
        expect(sealer.open(label, sealer.seal(label, plain))).toEqual(plain)
      }),
    )
  })

  it('gives the same bytes for the same text, and others for another text or label', () => {
    const sealed = [sealer.seal('a', 1), sealer.seal('a', 1), sealer.seal('a', 2), sealer.seal('b', 1)]
    expect(sealed[0]).toBe(sealed[1])
    expect(new Set(sealed).size).toBe(3)
  })

  it('opens nothing that was changed, cut off, sealed under another label, purpose or key', () => {
    const sealed = sealer.seal('state', { seed: 'abc' })
    const flipped = `${sealed.slice(0, 20)}${sealed[20] === 'A' ? 'B' : 'A'}${sealed.slice(21)}`
    for (const bad of [flipped, sealed.slice(0, 30), sealed.slice(0, -4), '', '!'])
      expect(() => sealer.open('state', bad)).toThrow()
    expect(() => sealer.open('event', sealed)).toThrow('another key')
    expect(() => createSealer(secret, 'other').open('state', sealed)).toThrow('another key')
    expect(() => createSealer(new Uint8Array(32), 'test').open('state', sealed)).toThrow('another key')
  })
})

interface State {
  readonly phase: 'idle' | 'holding' | 'done'
  readonly seed?: string
}
type Event = { readonly type: 'draw'; readonly seed: string } | { readonly type: 'end' }
type Effect = { readonly type: 'use'; readonly seed: string } | { readonly type: 'say'; readonly what: string }

const inside: Machine<State, Event, Effect> = {
  kind: 'holder',
  initial: () => ({ phase: 'idle' }),
  step(state, event): Step<State, Effect> {
    if (event.type === 'end') return { state: { phase: 'done' }, effects: [], forget: true }
    const effects: Effect[] = [
      { type: 'use', seed: event.seed },
      { type: 'say', what: state.phase },
    ]
    return { state: { phase: 'holding', seed: event.seed }, effects }
  },
}
const sealed = sealedMachine(inside, sealer, {
  isSecretState: ({ phase }) => phase === 'holding',
  isSecretEffect: ({ type }) => type === 'use',
})

describe('a machine with secrets', () => {
  const draw = sealed.sealEvent({ type: 'draw', seed: 'the seed' })
  const step = sealed.machine.step(sealed.machine.initial('holder/1'), draw)

  it('shows its phase and the types of its events and effects, and nothing of what they hold', () => {
    expect(draw).toEqual({ type: 'draw', sealed: expect.any(String) })
    expect(step.state).toEqual({ phase: 'holding', sealed: expect.any(String) })
    expect(step.effects).toEqual([
      { type: 'use', sealed: expect.any(String) },
      { type: 'say', what: 'idle' },
    ])
    expect(JSON.stringify([draw, step])).not.toContain('the seed')
  })

  it('opens for the node, and goes on as if nothing were sealed', () => {
    expect(sealed.openState(step.state)).toEqual({ phase: 'holding', seed: 'the seed' })
    expect(sealed.openEffect(step.effects[0])).toEqual({ type: 'use', seed: 'the seed' })
    expect(sealed.openEffect(step.effects[1])).toEqual({ type: 'say', what: 'idle' })
    expect(sealed.machine.step(step.state, { type: 'end' })).toEqual({
      state: { phase: 'done' },
      effects: [],
      forget: true,
    })
  })

  it('replays to the same stored state, bit for bit', () => {
    expect(replay(sealed.machine, 'holder/1', [{ event: draw }])).toEqual(step.state)
  })
})
