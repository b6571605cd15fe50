/** The sections by name, and which of them a table belongs to. */

import { DARPA_PARTS } from './darpa/section.ts'
import { FEDPROX_PARTS } from './fedprox/section.ts'
import { LINKS_PARTS } from './links/section.ts'
import { NSL_KDD_PARTS } from './nsl-kdd/section.ts'
import { POLICY_PARTS } from './policy/section.ts'
import type { Section } from './section.ts'

/** Parts by section; `--only` takes `section` or `section/part`. */
export const SECTIONS: Readonly<Record<string, Readonly<Record<string, Section>>>> = {
  darpa: DARPA_PARTS,
  'nsl-kdd': NSL_KDD_PARTS,
  fedprox: FEDPROX_PARTS,
  links: LINKS_PARTS,
  policy: POLICY_PARTS,
}

export interface Part {
  readonly section: string
  readonly name: string
  readonly run: Section
}

/** @throws for a name that is none */
export function partsOf(only: string): Part[] {
  return only.split(',').flatMap((asked) => {
    const [section = '', part] = asked.split('/')
    const parts = Object.entries(SECTIONS[section] ?? {}).filter(
      ([name]) => part === undefined || part === name || name.startsWith(`${part}-`),
    )
    if (parts.length === 0)
      throw new Error(`--only takes a list of ${Object.keys(SECTIONS).join(', ')}, or of their parts`)
    return parts.map(([name, run]) => ({ section, name, run }))
  })
}

const PREFIXES: Readonly<Record<string, string>> = {
  DARPA: 'darpa',
  'NSL-KDD': 'nsl-kdd',
  FedProx: 'fedprox',
  Links: 'links',
  Policy: 'policy',
}

/** By the first word of its title. */
export function sectionOf(table: string): string {
  const [prefix = ''] = table.split(/[ ,:]/)
  const section = PREFIXES[prefix]
  if (section === undefined) throw new Error(`no section has a table "${table}"`)
  return section
}
