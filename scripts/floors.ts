/**
 * The one description of the house: which room is on which floor, and who may import whom. `npm run floors` fails when
 * a file breaks it or when ARCHITECTURE.md shows another diagram; `npm run floors -- --write` updates the diagram.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { diagram, drawnIn, withDiagram } from './floors/diagram.ts'
import { checkFile, type Violation } from './floors/rules.ts'
import { roomOf } from './floors/table.ts'
import { trackedFiles } from './tracked-files.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const isSource = (path: string): boolean =>
  /\.(ts|tsx|mts|mjs)$/.test(path) && !path.endsWith('.d.ts') && !path.startsWith('src/models/kernels/assembly/')

/** Every violation in the files of the house, in path order. */
export function checkHouse(root: string, paths: readonly string[]): Violation[] {
  const inRooms = paths.filter((path) => isSource(path) && roomOf(path) !== undefined)
  const strays = paths
    .filter((path) => path.startsWith('src/') && isSource(path) && roomOf(path) === undefined)
    .map((path) => ({ path, line: 1, reason: 'is in no room of the table in scripts/floors/table.ts' }))
  return [...strays, ...inRooms.flatMap((path) => checkFile(path, readFileSync(join(root, path), 'utf8')))]
}

function main(write: boolean): number {
  const page = join(ROOT, 'ARCHITECTURE.md')
  const text = readFileSync(page, 'utf8')
  if (write) writeFileSync(page, withDiagram(text))
  const violations = checkHouse(ROOT, trackedFiles(ROOT))
  for (const { path, line, reason } of violations) console.error(`${path}:${line} ${reason}`)
  const drifted = !write && drawnIn(text) !== diagram()
  if (drifted)
    console.error('ARCHITECTURE.md shows another diagram than scripts/floors/table.ts: npm run floors -- --write')
  if (violations.length === 0 && !drifted) console.log(diagram())
  return violations.length > 0 || drifted ? 1 : 0
}

if (import.meta.main) process.exitCode = main(process.argv.includes('--write'))
