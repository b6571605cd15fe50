import { describe, expect, it } from 'vitest'
import { robustConfigSchema } from '../../src/learning/robust/config.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import { empiricalEpsilon } from '../../test/attacks/audit.ts'
import { signFlip } from '../../test/attacks/updates.ts'
import { createResults, sheetOf } from '../models/results.ts'
import { createFederation } from './federation.ts'
import { printed, writeInto } from './page.ts'
import { audit, AUDITED } from './privacy/audit.ts'
import type { Defect } from './privacy/private-runs.ts'
import { plainRanking } from './privacy/property.ts'
import { makeProblem } from './problem.ts'
import { SECTIONS } from './sections.ts'

const kernels = loadKernels()

describe('the bench of attacks', { timeout: 240_000 }, () => {
  it('shows a mean that a scaled sign flip destroys, and a rule that it does not', async () => {
    const problem = makeProblem('test')
    const { run } = createFederation(kernels, problem.test.width)
    const trial = { problem, seed: 'test', attack: signFlip(3), liars: 6 }
    const mean = await run({ ...trial, robust: robustConfigSchema.parse({ rule: 'none' }) })
    const robust = await run({ ...trial, robust: robustConfigSchema.parse({ rule: 'multi-krum', f: 6 }) })
    expect(mean.accuracy).toBeLessThan(0.6)
    expect(robust.accuracy).toBeGreaterThan(0.9)
  })

  it('shows inversion that works in the clear and fails behind masks and noise', async () => {
    const results = createResults()
    await SECTIONS['inversion']?.({
      seed: 'test',
      kernels,
      sheet: sheetOf(results, '1'),
      tiny: true,
      progress: () => {},
    })
    const found = (row: string): number | null | undefined =>
      results.cells.find((cell) => cell.row.startsWith(row) && cell.column === 'rows within 10 %')?.value
    expect(found('plain: one row')).toBe(1)
    expect(found('masked vector')).toBe(0)
    expect(found('DP-SGD')).toBe(0)
    expect(found('default: sum')).toBe(0)
  })

  it('shows membership within what epsilon allows where it is claimed, and beyond where nothing is', async () => {
    const results = createResults()
    const context = { seed: 'test', kernels, sheet: sheetOf(results, '1'), tiny: false, progress: () => {} }
    await SECTIONS['membership']?.(context)
    const figure = (row: string, column: string): number =>
      results.cells.find((cell) => cell.row.startsWith(row) && cell.column === column)?.value ?? Number.NaN
    const [found, allowed] = ['TPR at FPR 1 %', 'allowed at 1 %']
    for (const row of ['DP-SGD, epsilon 4', 'DP-SGD, epsilon 1'])
      expect(figure(row, found)).toBeLessThan(figure(row, allowed))
    expect(figure('plain, 200 passes', found)).toBeGreaterThan(figure('DP-SGD, epsilon 1', allowed))
  })

  it('tells from plain updates who met an attack, and from nothing what is drawn by a coin', () => {
    expect(plainRanking(kernels, 'test', 80)).toBeGreaterThan(0.9)
    const chance = plainRanking(kernels, 'test', 80, true)
    expect(Math.abs(chance - 0.5)).toBeLessThan(0.15)
  })

  it('puts figures between their markers and nowhere else', () => {
    const results = createResults()
    sheetOf(results, '1').record('Membership: x', 'plain', { 'AUC': 0.75 })
    results.runs.push({
      section: 'membership',
      part: '',
      model: 'mlp',
      seed: '1',
      seconds: 1,
      at: '2026-11-22',
      machine: 'm',
      versions: {},
    })
    const page = writeInto('a\n<!-- figures: membership -->old<!-- end: membership -->\nb\n', results)
    expect(page).toMatch(/^a\n[^]*\| plain \| 0.750 \|[^]*\nb\n$/)
    expect(page).not.toContain('old')
    expect(printed(results)).toContain('0.750')
    expect(() => writeInto('no place', results)).toThrow('no place for membership')
  })
})

describe('the audit of private training', { timeout: 240_000 }, () => {
  /** Of so many runs together. A canary is in one of them only. */
  function refuted(defect: Defect, runs: number, canaries: number): number {
    const total = { canaries: 0, made: 0, right: 0 }
    for (let run = 1; run <= runs; run++) {
      const guesses = audit({ kernels, seed: `test/${run}`, canaries }, defect)
      total.canaries += guesses.canaries
      total.made += guesses.made
      total.right += guesses.right
    }
    return empiricalEpsilon(total, AUDITED.delta)
  }

  it('does not refute the epsilon that the product claims, and finds some of it', () => {
    const epsilon = refuted('none', 3, 10_000)
    expect(epsilon).toBeLessThan(AUDITED.epsilon)
    expect(epsilon).toBeGreaterThan(0.3)
  })

  it('catches noise of half the deviation that is claimed', () => {
    expect(refuted('noise halved', 4, 10_000)).toBeGreaterThan(AUDITED.epsilon)
  })

  it('catches gradients that are not clipped', () => {
    expect(refuted('clip not applied', 2, 4000)).toBeGreaterThan(AUDITED.epsilon)
  })
})
