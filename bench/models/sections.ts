/** The sections by name, and which of them a table belongs to. */

import { darpa } from './darpa/section.ts'
import type { Section } from './section.ts'

export const SECTIONS: Readonly<Record<string, Section>> = { darpa }

const PREFIXES: Readonly<Record<string, string>> = {
  DARPA: 'darpa',
  'NSL-KDD': 'nsl-kdd',
  FedProx: 'fedprox',
  Links: 'links',
}

/** By the first word of its title. */
export function sectionOf(table: string): string {
  const [prefix = ''] = table.split(/[,:(]/)
  return PREFIXES[prefix.trim()] ?? 'policy'
}
