/**
 * Events against a compiled OCSF schema (the export of schema.ocsf.io): required attributes, no unknown ones, types with
 * their ranges and patterns, enums with their siblings, arrays, nested objects and their constraints. Attributes of
 * profiles count only if the event names the profile.
 */

import { readFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import { sharedPath } from './shared.ts'

interface Attribute {
  readonly type: string
  readonly requirement: 'required' | 'recommended' | 'optional'
  readonly is_array?: boolean
  readonly object_type?: string
  readonly enum?: Readonly<Record<string, { readonly caption: string }>>
  /** The attribute that says in words what this enum says in numbers. */
  readonly sibling?: string
  readonly profiles?: readonly string[] | null
}

interface Definition {
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly constraints?: { readonly at_least_one?: readonly string[]; readonly just_one?: readonly string[] }
  readonly uid?: number
}

interface ScalarType {
  readonly type?: string
  readonly range?: readonly [number, number]
  readonly max_len?: number
  readonly regex?: string
}

export interface OcsfSchema {
  readonly version: string
  readonly classes: Readonly<Record<string, Definition>>
  readonly objects: Readonly<Record<string, Definition>>
  readonly dictionary: { readonly types: { readonly attributes: Readonly<Record<string, ScalarType>> } }
}

/** Undefined on a machine that lacks the shared data. */
export function ocsfSchema(): OcsfSchema | undefined {
  const path = sharedPath('data/ocsf/ocsf-1.9.0-dev-compiled.json.zst')
  return path === undefined ? undefined : (JSON.parse(zstdDecompressSync(readFileSync(path)).toString()) as OcsfSchema)
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is wrong with an event of the class so named, a line each; nothing if it is valid. */
export function ocsfProblems(schema: OcsfSchema, className: string, event: unknown): readonly string[] {
  const problems: string[] = []
  const definition = schema.classes[className]
  if (definition === undefined) return [`there is no class ${className}`]
  const profiles = isFields(event) && isFields(event['metadata']) ? event['metadata']['profiles'] : undefined
  const active = new Set(Array.isArray(profiles) ? (profiles as unknown[]) : [])
  const report = (path: string, problem: string): void => void problems.push(`${path || 'event'}: ${problem}`)

  function checkFields(path: string, fields: unknown, { attributes, constraints }: Definition): void {
    if (!isFields(fields)) return report(path, 'is no object')
    const known = Object.entries(attributes).filter(([, one]) => (one.profiles ?? []).every((name) => active.has(name)))
    for (const [name, one] of known)
      if (one.requirement === 'required' && fields[name] === undefined) report(`${path}.${name}`, 'is required')
    const names = new Set(known.map(([name]) => name))
    for (const [name, value] of Object.entries(fields)) {
      const attribute = attributes[name]
      if (attribute === undefined || !names.has(name)) report(`${path}.${name}`, 'is not in the schema')
      else checkValue(`${path}.${name}`, value, attribute, fields)
    }
    const present = (some: readonly string[]): number => some.filter((name) => fields[name] !== undefined).length
    const { at_least_one: atLeast, just_one: just } = constraints ?? {}
    if (atLeast !== undefined && present(atLeast) === 0) report(path, `needs one of ${atLeast.join(', ')}`)
    if (just !== undefined && present(just) !== 1) report(path, `needs just one of ${just.join(', ')}`)
  }

  function checkValue(path: string, value: unknown, attribute: Attribute, beside: Fields): void {
    if (attribute.is_array !== true) return checkOne(path, value, attribute, beside)
    if (!Array.isArray(value)) return report(path, 'is no array')
    value.forEach((one, i) => checkOne(`${path}[${i}]`, one, attribute, beside))
  }

  function checkOne(path: string, value: unknown, attribute: Attribute, beside: Fields): void {
    if (attribute.enum !== undefined) checkEnum(path, value, attribute, beside)
    if (attribute.type !== 'object_t') return checkScalar(path, value, attribute.type)
    // The object of that name is a bag of anything.
    if (attribute.object_type === 'object') return isFields(value) ? undefined : report(path, 'is no object')
    const object = schema.objects[attribute.object_type ?? '']
    if (object === undefined) return report(path, `is of an unknown object type ${attribute.object_type}`)
    checkFields(path, value, object)
  }

  function checkEnum(path: string, value: unknown, { enum: values = {}, sibling }: Attribute, beside: Fields): void {
    const chosen = values[String(value)]
    if (chosen === undefined) return report(path, `${JSON.stringify(value)} is not in the enum`)
    const words = sibling === undefined ? undefined : beside[sibling]
    // 99 is "Other": its sibling says in the source's own words what it is.
    if (words !== undefined && value !== 99 && words !== chosen.caption)
      report(path, `is ${chosen.caption}, but ${sibling} says ${JSON.stringify(words)}`)
  }

  function checkScalar(path: string, value: unknown, type: string): void {
    const rules = schema.dictionary.types.attributes[type]
    if (rules === undefined) return report(path, `is of an unknown type ${type}`)
    const base = rules.type ?? type
    if (base !== type) checkScalar(path, value, base)
    else if (!isOfBase(value, type)) return report(path, `${JSON.stringify(value)} is no ${type}`)
    if (rules.range !== undefined && !(Number(value) >= rules.range[0] && Number(value) <= rules.range[1]))
      report(path, `${String(value)} is outside ${rules.range.join(' to ')}`)
    if (rules.max_len !== undefined && String(value).length > rules.max_len) report(path, 'is too long')
    if (rules.regex !== undefined && !new RegExp(rules.regex).test(String(value)))
      report(path, `${JSON.stringify(value)} is no ${type}`)
  }

  checkFields('', event, definition)
  if (isFields(event) && isFields(event['metadata']) && event['metadata']['version'] !== schema.version)
    report('.metadata.version', `is not that of the schema, ${schema.version}`)
  return problems
}

function isOfBase(value: unknown, type: string): boolean {
  switch (type) {
    case 'string_t':
      return typeof value === 'string'
    case 'boolean_t':
      return typeof value === 'boolean'
    case 'integer_t':
    case 'long_t':
      return Number.isSafeInteger(value)
    case 'float_t':
      return typeof value === 'number' && Number.isFinite(value)
    case 'json_t':
      return value !== undefined
    default:
      return false
  }
}
