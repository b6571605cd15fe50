/** What the sanitiser of one format is: lines in, the lines that may leave out. */

import type { Tally } from '../report.ts'
import type { Values } from '../values.ts'

export interface LineContext {
  readonly values: Values
  readonly tally: Tally
}

/** The line that may leave; undefined if it must not, which is counted. Lines are hostile: it never throws. */
export type LineSanitiser = (line: string) => string | undefined
