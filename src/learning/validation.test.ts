import { describe, expect, it } from 'vitest'
import { EntenteError } from '../base/errors.ts'
import { type Digest, type OrganisationId, organisationId } from '../base/ids.ts'
import { parseBody } from './messages.ts'
import { type ValidationEvent, validationMachine, type ValidationRecord, withQuality } from './validation.ts'

const MODEL = 'a'.repeat(64) as Digest
const STREAM = 'validation/t-1'

const says = (name: string, improvementPercent: number, model = MODEL): ValidationEvent => ({
  type: 'validated',
  organisation: organisationId(name),
  model,
  improvementPercent,
  at: 1,
})

function after(...events: readonly ValidationEvent[]) {
  let state = validationMachine.initial(STREAM)
  let record: ValidationRecord | undefined
  for (const event of events) {
    const step = validationMachine.step(state, event)
    expect(step.effects).toEqual([])
    state = step.state
    record = (step.records?.[0]?.value as ValidationRecord | undefined) ?? record
  }
  return { state, record }
}

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
  } catch (error) {
    return error instanceof EntenteError ? error.code : String(error)
  }
  return undefined
}

describe('what validators say of a round', () => {
  it('has no quality before three have spoken, and then their median', () => {
    expect(after(says('a', 30), says('b', 20)).record).toMatchObject({ aggregation_quality: null, validators: 2 })
    expect(after(says('a', 30), says('b', 20), says('c', -90)).record).toEqual({
      round_id: 't-1',
      model: MODEL,
      validators: 3,
      worse: 1,
      aggregation_quality: 0.2,
      byzantine_detection_triggered: false,
    })
  })

  it('is the same in whatever order they speak', () => {
    const events = [says('a', 30), says('b', -40), says('c', -50), says('d', 10)]
    expect(after(...events.toReversed()).record).toEqual(after(...events).record)
  })

  it('triggers the detection when most find the model clearly worse, and not for a minority', () => {
    const honest = [says('a', 30), says('b', 40), says('c', 20)]
    const liars = [says('x', -100), says('y', -100)]
    expect(after(...honest, ...liars).record).toMatchObject({ byzantine_detection_triggered: false })
    const hurt = [says('a', -60), says('b', -100), says('c', -40)]
    const praise = [says('x', 100), says('y', 100)]
    expect(after(...hurt, ...praise).record).toMatchObject({ byzantine_detection_triggered: true })
  })

  it('takes one word of each: the same again changes nothing, another is refused', () => {
    const { state } = after(says('a', 30))
    expect(validationMachine.step(state, says('a', 30)).records).toBeUndefined()
    expect(codeOf(() => validationMachine.step(state, says('a', -30)))).toBe('already-submitted')
    expect(codeOf(() => validationMachine.step(state, says('b', 0, 'b'.repeat(64) as Digest)))).toBe('invalid-request')
  })

  it('is not taken for another by an organisation with the name of a property', () => {
    const { state } = after(says('constructor', 10))
    expect(state.verdicts['constructor' as OrganisationId]).toBe(10)
  })

  it('is in tenths of a nat on the wire, and nothing finer', () => {
    const body = { round_id: 't-1', model: MODEL, improvement_percent: -30 }
    expect(parseBody('model-validated', body)).toEqual(body)
    for (const improvement_percent of [31, 0.5, 110, -110, null])
      expect(codeOf(() => parseBody('model-validated', { ...body, improvement_percent }))).toBe('invalid-request')
  })
})

describe('the record of a round', () => {
  const { record } = after(says('a', -60), says('b', -100), says('c', -40))

  it('shows the quality beside the metrics of the aggregation', () => {
    expect(withQuality({ metrics: {} }, record)).toEqual({
      metrics: { aggregation_quality: -0.6, validators: 3, worse: 3, byzantine_detection_triggered: true },
    })
  })

  it('shows none, and not zero, where too few or none have spoken', () => {
    expect(withQuality({ metrics: {} }, undefined)).toEqual({ metrics: {} })
    expect(withQuality({ metrics: {} }, after(says('a', 0)).record)).toEqual({ metrics: { validators: 1 } })
  })

  it('keeps what a robust rule found', () => {
    const fine = after(says('a', 10), says('b', 10), says('c', 10)).record
    expect(withQuality({ metrics: { byzantine_detection_triggered: true } }, fine)).toMatchObject({
      metrics: { byzantine_detection_triggered: true, aggregation_quality: 0.1 },
    })
  })
})
