/** One value under its action: what takes its place. */

import type { Action } from './actions.ts'
import { techniqueOf } from './attack.ts'
import type { DetectorName, Finding } from './detectors/detector.ts'
import { freeTextDetector } from './detectors/detectors.ts'
import { isCommonAccount } from './detectors/persons.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { OUTCOMES, type Tally } from './report.ts'

export interface Values {
  /** The text that takes the place of `value`; undefined if it has to be removed. */
  sanitise(action: Action, value: string, field: string): string | undefined
  /** Free text: findings replaced, everything else as it was. */
  text(value: string, field: string): string
}

/** Short words without any sign in them: nothing that a detector looks for. */
const PLAIN = /^[A-Za-z][A-Za-z0-9_]{0,15}$|^-?\d{1,12}(?:\.\d{1,9})?$/
/** How logs write that there is no value. */
const UNSET = new Set(['', '-', '(empty)'])
/** S-1-5-21-<three numbers of the domain>-<number of the account>. Others are the same on every machine. */
const DOMAIN_SID = /^S-1-5-21-\d+-\d+-\d+(?:-(\d+))?$/
/** Numbers below belong to accounts and groups that every domain has. */
const OWN_ACCOUNTS = 1000

export function valuesOf(pseudonyms: Pseudonyms, tally: Tally): Values {
  const detect = freeTextDetector((text) => pseudonyms.address(text) !== undefined)

  function standIn(detector: DetectorName, value: string): string {
    switch (detector) {
      case 'email':
        return pseudonyms.of('mail', value)
      case 'user-name':
        return pseudonyms.of('user', value)
      case 'mac-address':
        return pseudonyms.of('mac', value)
      case 'ip-address':
        return pseudonyms.address(value) ?? '[ip-address]'
      case 'password':
      case 'token':
      case 'private-key':
      case 'card':
      case 'iban':
      case 'national-id':
      case 'phone':
        return `[${detector}]`
    }
  }

  function text(value: string, field: string): string {
    if (PLAIN.test(value)) return value
    let out = ''
    let at = 0
    for (const { detector, begin, end } of detect(value) as readonly Finding[]) {
      out += value.slice(at, begin) + standIn(detector, value.slice(begin, end))
      at = end
      tally.found(field, detector)
    }
    return at === 0 ? value : out + value.slice(at)
  }

  function technique(value: string, field: string): string {
    const known = techniqueOf(value)
    tally.technique(known !== undefined)
    return known ?? text(value, field)
  }

  function host(value: string): string {
    if (value.toLowerCase() === 'localhost') return value
    return pseudonyms.address(value) ?? pseudonyms.name(value)
  }

  function sid(value: string): string {
    const match = DOMAIN_SID.exec(value)
    if (match === null) return /^S-1-[\d-]{1,60}$/.test(value) ? value : pseudonyms.of('sid', value)
    const account = match[1]
    const domain = pseudonyms.of('sid', value.split('-').slice(0, 7).join('-'))
    return account !== undefined && Number(account) < OWN_ACCOUNTS
      ? `${domain}-${account}`
      : pseudonyms.of('sid', value)
  }

  function replaced(action: Action, value: string, field: string): string | undefined {
    switch (action) {
      case 'keep':
      case 'text':
        return text(value, field)
      case 'technique':
        return technique(value, field)
      case 'address':
        return pseudonyms.address(value)
      case 'host':
        return host(value)
      case 'user':
        return isCommonAccount(value) ? value : pseudonyms.of('user', value)
      case 'mac':
        return pseudonyms.of('mac', value)
      case 'sid':
        return sid(value)
      case 'number':
        return pseudonyms.number(value)
      case 'identifier':
        return pseudonyms.identifier(value)
    }
  }

  return {
    text,
    sanitise(action, value, field) {
      if (UNSET.has(value)) return value
      const result = replaced(action, value, field)
      const outcome = result === undefined ? 'removed' : OUTCOMES[action]
      if (outcome !== 'searched') tally.field(field, outcome)
      return result
    },
  }
}
