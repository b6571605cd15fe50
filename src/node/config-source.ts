/** From the text of a YAML file to values, and from a complaint about a value back to its line. */

import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { fail } from '../base/errors.ts'

export interface Source {
  readonly file: string
  readonly value: unknown
  /** Line of a key, counting from 1; of the nearest thing around it if it is not there. */
  lineOf(path: readonly PropertyKey[]): number
}

type Environment = Readonly<Record<string, string | undefined>>

/** @throws config-invalid for malformed YAML and for variables that are not set */
export function parseYaml(text: string, environment: Environment, file: string): Source {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem) {
    const line = counter.linePos(problem.pos[0]).line
    fail('config-invalid', `${file}:${line}: not YAML: ${problem.message}${hint(text)}`, { line })
  }
  const lineOf = (path: readonly PropertyKey[]) => counter.linePos(offsetOf(document, path)).line
  const value = substitute(document.toJS({ maxAliasCount: 0 }), [], environment, (path, name) => {
    const line = lineOf(path)
    fail('config-invalid', `${file}:${line}: ${path.join('.')}: the environment variable ${name} is not set`, {
      line,
      key: path.join('.'),
    })
  })
  return { file, value: value ?? {}, lineOf }
}

/** `{ url: ${X} }` is the one trap: braces inside braces. */
function hint(text: string): string {
  return /\{[^}]*\$\{/.test(text) ? ' (inside { } write "${NAME}" in quotes)' : ''
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let offset = 0
  let node: unknown = document.contents
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      if (!pair) break
      offset = startOf(pair.key) ?? offset
      node = pair.value
    } else if (isNode(node) && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(key)]
      offset = startOf(node) ?? offset
    } else break
  }
  return offset
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

function substitute(
  value: unknown,
  path: readonly PropertyKey[],
  environment: Environment,
  missing: (path: readonly PropertyKey[], name: string) => never,
): unknown {
  if (typeof value === 'string')
    return value.replace(
      /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
      (_, name: string) => environment[name] ?? missing(path, name),
    )
  if (Array.isArray(value)) return value.map((each, index) => substitute(each, [...path, index], environment, missing))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, substitute(each, [...path, key], environment, missing)]),
  )
}

/** Turns the first complaint of zod into one that a person can act on. */
export function refuse(source: Source, error: z.ZodError, schema: z.ZodType): never {
  const issue = error.issues[0]
  const extra = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...(issue?.path ?? []), ...extra]
  const key = path.join('.')
  const line = source.lineOf(path)
  const complaint =
    issue?.code === 'unrecognized_keys'
      ? `there is no such key; allowed here: ${keysAt(schema, source.value, issue.path).join(', ')}`
      : issue?.message
  fail('config-invalid', `${source.file}:${line}: ${key === '' ? 'the file' : key}: ${complaint ?? 'not valid'}`, {
    line,
    key,
  })
}

interface Definition {
  readonly type?: string
  readonly shape?: Record<string, z.ZodType>
  readonly options?: readonly z.ZodType[]
  readonly innerType?: z.ZodType
}

/** Keys that an object of the schema may have at `path`; of alternatives, those of the one that has this role. */
function keysAt(schema: z.ZodType, value: unknown, path: readonly PropertyKey[]): string[] {
  const definition = schema.def as Definition
  if (definition.innerType) return keysAt(definition.innerType, value, path)
  if (definition.options) {
    const chosen = definition.options.find(
      (option) => roleOf(option)?.safeParse((value as { role?: unknown }).role).success,
    )
    return chosen ? keysAt(chosen, value, path) : []
  }
  const [first, ...rest] = path
  const shape = definition.shape ?? {}
  if (first === undefined) return Object.keys(shape)
  const inner = shape[String(first)]
  return inner ? keysAt(inner, value, rest) : []
}

function roleOf(option: z.ZodType): z.ZodType | undefined {
  return (option.def as Definition).shape?.['role']
}
