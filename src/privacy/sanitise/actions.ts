/** What may become of a field. A field that no list names is removed: what nobody has thought about does not leave. */

export const ACTIONS = [
  /** Numbers, times and words of a closed vocabulary; texts are searched all the same. */
  'keep',
  /** Prefix-preserving pseudonym of an IP address; anything else there is removed. */
  'address',
  /** An address, or the name of a host or domain, label by label. */
  'host',
  'user',
  'mac',
  /** Windows security identifier; well-known ones stay. */
  'sid',
  /** FF1: a number, or a Zeek id, of the same form. */
  'number',
  'identifier',
  /** Written by anybody: what the detectors find is replaced, the rest stays. */
  'text',
  /** Name of an attack, normalised to an ATT&CK technique where the table knows it. */
  'technique',
] as const
export type Action = (typeof ACTIONS)[number]

/** Actions by the path of a field, dots between levels. */
export type FieldRules = ReadonlyMap<string, Action>

/** Rules from lists of names: `{ keep: 'ts proto', address: 'src' }`. */
export function fieldRules(...lists: readonly Partial<Record<Action, string>>[]): FieldRules {
  const rules = new Map<string, Action>()
  for (const list of lists)
    for (const action of ACTIONS)
      for (const name of list[action]?.split(/\s+/) ?? []) if (name !== '') rules.set(name, action)
  return rules
}
