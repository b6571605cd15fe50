import { expect, it } from 'vitest'
import { CHECKS, runCheck } from './check.ts'

it.each(Object.keys(CHECKS))('the whole tree passes: %s', async (name) => {
  const { passed, output } = await runCheck(name)
  expect(passed, output).toBe(true)
})
