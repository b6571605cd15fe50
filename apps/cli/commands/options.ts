/** Options that several commands share. */

import { Option } from 'commander'

export const directoryOption = (): Option =>
  new Option('-d, --dir <directory>', 'directory of the node').env('ENTENTE_DIR').default('.')

export const jsonOption = (): Option => new Option('--json', 'print JSON')

export interface NodeOptions {
  readonly dir: string
  readonly json?: boolean
}

/** Appends repeated options and comma lists to one list. */
export function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, ...value.split(',').filter((part) => part !== '')]
}
