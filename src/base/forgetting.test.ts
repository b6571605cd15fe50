import { describe, expect, it } from 'vitest'
import { forgettingAfter } from './forgetting.ts'
import type { Machine } from './machine.ts'

interface State {
  readonly phase: 'open' | 'over'
}

const inside: Machine<State, string, string> = {
  kind: 'test',
  initial: () => ({ phase: 'open' }),
  step: (state, event) => ({ state: event === 'end' ? { phase: 'over' } : state, effects: [event] }),
}
const machine = forgettingAfter<State, string, string>(['over'], inside)

describe('a machine that forgets after its end', () => {
  it('keeps what it was told until then', () => {
    expect(machine.step({ phase: 'open' }, 'secret')).toEqual({ state: { phase: 'open' }, effects: ['secret'] })
  })

  it('forgets with the end, and again with whatever comes after it', () => {
    const ended = machine.step({ phase: 'open' }, 'end')
    expect(ended).toEqual({ state: { phase: 'over' }, effects: ['end'], forget: true })
    expect(machine.step(ended.state, 'a secret that comes late')).toMatchObject({ forget: true })
  })
})
