/** Zeek's tab-separated logs. Columns keep their places; those that no list names lose their names and their values. */

import type { Action } from '../actions.ts'
import { zeekRules } from '../fields/zeek.ts'
import type { LineContext, LineSanitiser } from './line.ts'

interface Column {
  readonly action: Action | undefined
  /** As a report calls it. */
  readonly field: string
}

const HEADERS = /^#(?:separator|set_separator|empty_field|unset_field|open|close|types)\b/
const COLUMNS_MAX = 256

export function zeekTsv({ values, tally }: LineContext): LineSanitiser {
  let separator = '\t'
  let setSeparator = ','
  let unset = '-'
  let empty = '(empty)'
  let log = zeekRules('')
  let columns: readonly Column[] | undefined

  function header(line: string): string | undefined {
    const escaped = /^#separator \\x([0-9a-fA-F]{2})$/.exec(line)
    if (escaped !== null) separator = String.fromCharCode(Number.parseInt(escaped[1] ?? '09', 16))
    const [name, ...rest] = line.split(separator)
    if (name === '#set_separator') setSeparator = rest[0] ?? ','
    if (name === '#unset_field') unset = rest[0] ?? '-'
    if (name === '#empty_field') empty = rest[0] ?? '(empty)'
    if (name === '#path') return path(rest[0] ?? '')
    if (name === '#fields') return fields(rest)
    return HEADERS.test(line) ? values.text(line, `${log.kind}:header`) : void tally.dropped('comment')
  }

  function path(name: string): string {
    log = zeekRules(name)
    columns = undefined
    const known = log.kind === 'zeek/other' ? 'other' : name
    return `#path${separator}${known}`
  }

  function fields(names: readonly string[]): string {
    columns = names.slice(0, COLUMNS_MAX).map((name) => ({ action: log.rules.get(name), field: `${log.kind}:${name}` }))
    const shown = columns.map(({ action }, i) => (action === undefined ? `removed-${i + 1}` : names[i]))
    return ['#fields', ...shown].join(separator)
  }

  function cell(value: string, { action, field }: Column): string {
    if (value === unset || value === empty || value === '') return value
    if (action === undefined) {
      tally.unlisted(log.kind)
      return unset
    }
    // A text may hold the set separator itself; other values are sets or single.
    if (action === 'text' || action === 'keep') return values.sanitise(action, value, field) ?? unset
    return value
      .split(setSeparator)
      .map((one) => values.sanitise(action, one, field) ?? unset)
      .join(setSeparator)
  }

  return (line) => {
    if (line === '') return ''
    if (line.startsWith('#')) return header(line)
    if (columns === undefined) return void tally.dropped('no-header')
    const cells = line.split(separator, COLUMNS_MAX + 1)
    if (cells.length !== columns.length) return void tally.dropped('field-count')
    return columns.map((column, i) => cell(cells[i] ?? '', column)).join(separator)
  }
}
