/** Which format a file has, from its first lines. */

import { fail } from '../../base/errors.ts'
import type { LineParser, LogFormat, Selection } from '../interaction.ts'
import { darpaCsvParser } from './darpa-csv.ts'
import { interactionJsonParser, isInteractionRecord } from './interaction-json.ts'
import { arrayRecords } from './json-array.ts'
import { netflowColumns, netflowCsvParser } from './netflow-csv.ts'
import { parseRecord } from './record.ts'
import { suricataEveParser } from './suricata-eve.ts'
import { windowsJsonParser } from './windows-json.ts'
import { zeekJsonParser } from './zeek-json.ts'
import { zeekTsvParser } from './zeek-tsv.ts'

const DARPA = /^\d{3}\.\d{3}\.\d{3}\.\d{3},\d{3}\.\d{3}\.\d{3}\.\d{3},\d\d\/\d\d\/\d{4}-\d\d:\d\d,/

function formatOfLine(line: string): LogFormat | undefined {
  if (line.startsWith('#separator') || line.startsWith('#fields') || line.startsWith('#path')) return 'zeek-tsv'
  if (DARPA.test(line)) return 'darpa-csv'
  const record = line.startsWith('{') ? parseRecord(line) : undefined
  if (record === undefined)
    return /^[A-Za-z]/.test(line) && netflowColumns(line) !== undefined ? 'netflow-csv' : undefined
  if ('event_type' in record) return 'suricata-eve'
  if ('EventID' in record) return 'windows-json'
  if (isInteractionRecord(record)) return 'interaction-json'
  return 'ts' in record ? 'zeek-json' : undefined
}

/** The format of the first line that shows one; undefined if none does. */
export function detectFormat(firstLines: readonly string[]): LogFormat | undefined {
  const records = arrayRecords()
  for (const line of firstLines) {
    for (const record of records.push(line)) {
      const format = formatOfLine(record)
      if (format !== undefined) return format
    }
  }
  return undefined
}

/** A parser for one file. */
export function createParser(format: LogFormat, selection: Selection = 'contacts'): LineParser {
  switch (format) {
    case 'zeek-tsv':
      return zeekTsvParser(selection)
    case 'zeek-json':
      return zeekJsonParser(selection)
    case 'suricata-eve':
      return suricataEveParser(selection)
    case 'windows-json':
      return windowsJsonParser(selection)
    case 'netflow-csv':
      return netflowCsvParser()
    case 'darpa-csv':
      return darpaCsvParser()
    case 'interaction-json':
      return interactionJsonParser(selection)
    default:
      fail('input-invalid', `unknown log format "${String(format)}"`)
  }
}
