/** `node bench/sanitise.ts [--lines 20000] [--seed 1]`: precision and recall of the detectors, and lines a second. */

import { parseArgs } from 'node:util'
import { ADDRESSES } from '../src/node/sanitise/addresses.ts'
import { corpus } from '../src/privacy/sanitise/corpus/corpus.ts'
import { evaluate } from '../src/privacy/sanitise/corpus/evaluate.ts'
import { freeTextDetector } from '../src/privacy/sanitise/detectors/detectors.ts'
import { deriveKeys } from '../src/privacy/sanitise/keys.ts'
import { createSanitiser } from '../src/privacy/sanitise/sanitiser.ts'

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    errors: { type: 'boolean', default: false },
  },
})
const lines = corpus(values.seed, Number(values.lines))
const detect = freeTextDetector((text) => ADDRESSES.parse(text) !== undefined)

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
console.log('| detector | labelled | recall | under its own name | findings | precision |\n|---|---|---|---|---|---|')
for (const { detector, labelled, recall, named, findings, precision } of evaluate(lines, detect))
  console.log(
    `| ${detector} | ${labelled} | ${percent(recall)} | ${percent(named / labelled)} | ${findings} | ${percent(precision)} |`,
  )

if (values.errors)
  for (const one of lines) {
    const missed = one.labels.filter(
      (label) => !detect(one.text).some((f) => f.begin <= label.begin && f.end >= label.end),
    )
    const spurious = detect(one.text).filter((f) => !one.labels.some((l) => l.begin < f.end && l.end > f.begin))
    if (missed.length + spurious.length > 0)
      console.log(
        JSON.stringify({
          text: one.text,
          missed: missed.map((l) => `${l.detector} ${one.text.slice(l.begin, l.end)}`),
          spurious: spurious.map((f) => `${f.detector} ${one.text.slice(f.begin, f.end)}`),
        }),
      )
  }

const keys = deriveKeys(new Uint8Array(32).fill(1), { federation: 'bench', epoch: '1' })
const sanitise = createSanitiser(keys, ADDRESSES).begin('text')
const since = performance.now()
for (const { text } of lines) sanitise(text)
const seconds = (performance.now() - since) / 1000
console.log(`\n${Math.round(lines.length / seconds).toLocaleString('en')} lines of plain text a second`)
