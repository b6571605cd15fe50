/** Lines of one log in, the lines that may leave out, and an account of what was taken from them. */

import type { SanitiseKeys } from './keys.ts'
import { darpaCsv, netflowCsv } from './lines/csv.ts'
import { interactionJson, suricataEve, windowsJson, zeekJson } from './lines/json.ts'
import type { LineContext, LineSanitiser } from './lines/line.ts'
import { zeekTsv } from './lines/zeek-tsv.ts'
import { type AddressSpelling, pseudonymsOf } from './pseudonyms.ts'
import { createTally, type SanitiseReport } from './report.ts'
import { valuesOf } from './values.ts'

/** `text`: lines of any form, searched as a whole. There is no list of fields then, only what the detectors find. */
export const SANITISE_FORMATS = [
  'zeek-tsv',
  'zeek-json',
  'suricata-eve',
  'windows-json',
  'netflow-csv',
  'darpa-csv',
  'interaction-json',
  'text',
] as const
export type SanitiseFormat = (typeof SANITISE_FORMATS)[number]

export interface Sanitiser {
  /** Begins a log of this format; what earlier logs declared is forgotten, the pseudonyms stay. */
  begin(format: SanitiseFormat): LineSanitiser
  /** Counts a line that was not even read, because it is longer than any log's. */
  tooLong(): void
  /** Of everything so far. */
  report(): SanitiseReport
}

const FORMATS: Readonly<Record<SanitiseFormat, (context: LineContext) => LineSanitiser>> = {
  'zeek-tsv': zeekTsv,
  'zeek-json': zeekJson,
  'suricata-eve': suricataEve,
  'windows-json': windowsJson,
  'netflow-csv': netflowCsv,
  'darpa-csv': darpaCsv,
  'interaction-json': interactionJson,
  'text': plainText,
}

export function createSanitiser(keys: SanitiseKeys, addresses: AddressSpelling): Sanitiser {
  const tally = createTally()
  const values = valuesOf(pseudonymsOf(keys, addresses), tally)
  return {
    begin: (format) => counted(FORMATS[format]({ values, tally }), { values, tally }),
    tooLong() {
      tally.line()
      tally.dropped('line-too-long')
    },
    report: () => tally.report(),
  }
}

function counted(sanitise: LineSanitiser, { tally }: LineContext): LineSanitiser {
  return (line) => {
    tally.line()
    const out = sanitise(line)
    if (out !== undefined) tally.written()
    return out
  }
}

/** No key in PEM is longer, in lines: an opening line alone must not hide the rest of a log. */
const KEY_LINES_MAX = 200

/** A key in PEM goes over many lines: from its first to its last, none of them leaves. */
function plainText({ values, tally }: LineContext): LineSanitiser {
  let linesOfKey = 0
  return (line) => {
    const ends = /-----END [A-Z0-9 ]{1,60}-----/.test(line)
    if (linesOfKey > 0) {
      linesOfKey = ends ? 0 : linesOfKey - 1
      tally.found('text:line', 'private-key')
      return '[private-key]'
    }
    if (!ends && /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/.test(line)) linesOfKey = KEY_LINES_MAX
    return values.text(line, 'text:line')
  }
}
