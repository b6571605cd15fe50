/** Flows as comma-separated text: Argus and nfdump, whose header names the columns, and DARPA's four columns. */

import { NETFLOW } from '../fields/others.ts'
import type { LineContext, LineSanitiser } from './line.ts'

const COLUMNS_MAX = 128

export function netflowCsv({ values, tally }: LineContext): LineSanitiser {
  let columns: readonly string[] | undefined
  let summary = false

  function header(line: string): string {
    const names = line.split(',', COLUMNS_MAX).map((name) => name.trim())
    columns = names.map((name) => name.toLowerCase())
    return names.map((name, i) => (NETFLOW.has(name.toLowerCase()) ? name : `removed-${i + 1}`)).join(',')
  }

  function cell(value: string, name: string): string {
    const action = NETFLOW.get(name)
    const bare = value.trim()
    if (bare === '') return value
    if (action === undefined) {
      tally.unlisted('netflow')
      return ''
    }
    return values.sanitise(action, bare, `netflow:${name}`) ?? ''
  }

  return (line) => {
    if (line === '') return ''
    if (line.startsWith('#')) return void tally.dropped('comment')
    if (summary || /^summary\b/i.test(line)) {
      // nfdump ends with totals; they are no flows, and whoever reads on would take them for one.
      summary = true
      return void tally.dropped('summary')
    }
    if (/^[A-Za-z]/.test(line) && isHeader(line)) return header(line)
    if (columns === undefined) return void tally.dropped('no-header')
    const cells = line.split(',', COLUMNS_MAX + 1)
    if (cells.length !== columns.length) return void tally.dropped('field-count')
    return cells.map((value, i) => cell(value, columns?.[i] ?? '')).join(',')
  }
}

function isHeader(line: string): boolean {
  const known = line.split(',', COLUMNS_MAX).filter((name) => NETFLOW.has(name.trim().toLowerCase()))
  return known.length >= 3
}

/** `source,destination,MM/DD/YYYY-HH:MM,attack name or -`; octets padded to three digits, as the data set has them. */
export function darpaCsv({ values, tally }: LineContext): LineSanitiser {
  const padded = (text: string): string | undefined => {
    const bare = text.split('.').map((octet) => octet.replace(/^0{1,2}(?=\d)/, ''))
    const address = values.sanitise('address', bare.join('.'), 'darpa:address')
    return address
      ?.split('.')
      .map((octet) => octet.padStart(3, '0'))
      .join('.')
  }

  return (line) => {
    if (line === '' || /^#tick \d{1,7}$/.test(line)) return line
    if (line.startsWith('#')) return void tally.dropped('comment')
    const [source = '', destination = '', stamp = '', attack, ...rest] = line.split(',')
    if (attack === undefined || rest.length > 0 || !/^\d\d\/\d\d\/\d{4}-\d\d:\d\d$/.test(stamp))
      return void tally.dropped('field-count')
    const [from, to] = [padded(source), padded(destination)]
    if (from === undefined || to === undefined) return void tally.dropped('address')
    const name = attack === '-' ? attack : values.sanitise('technique', attack, 'darpa:attack')
    return [from, to, stamp, name].join(',')
  }
}
