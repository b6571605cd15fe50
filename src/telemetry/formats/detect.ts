/** Which format a file has, from its first lines. */

import { fail } from '../../base/errors.ts'
import type { LineParser, LogFormat } from '../interaction.ts'
import { darpaCsvParser } from './darpa-csv.ts'
import { parseRecord } from './record.ts'
import { suricataEveParser } from './suricata-eve.ts'
import { zeekJsonParser } from './zeek-json.ts'
import { zeekTsvParser } from './zeek-tsv.ts'

const DARPA = /^\d{3}\.\d{3}\.\d{3}\.\d{3},\d{3}\.\d{3}\.\d{3}\.\d{3},\d\d\/\d\d\/\d{4}-\d\d:\d\d,/

function formatOfLine(line: string): LogFormat | undefined {
  if (line.startsWith('#separator') || line.startsWith('#fields') || line.startsWith('#path')) return 'zeek-tsv'
  if (DARPA.test(line)) return 'darpa-csv'
  const record = line.startsWith('{') ? parseRecord(line) : undefined
  if (record === undefined) return undefined
  if ('event_type' in record) return 'suricata-eve'
  return 'ts' in record ? 'zeek-json' : undefined
}

/** The format of the first line that shows one; undefined if none does. */
export function detectFormat(firstLines: readonly string[]): LogFormat | undefined {
  for (const line of firstLines) {
    const format = formatOfLine(line)
    if (format !== undefined) return format
  }
  return undefined
}

/** A parser for one file. */
export function createParser(format: LogFormat): LineParser {
  switch (format) {
    case 'zeek-tsv':
      return zeekTsvParser()
    case 'zeek-json':
      return zeekJsonParser()
    case 'suricata-eve':
      return suricataEveParser()
    case 'darpa-csv':
      return darpaCsvParser()
    default:
      fail('input-invalid', `unknown log format "${String(format)}"`)
  }
}
