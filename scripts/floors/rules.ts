/** One file against the table: its imports, and in pure rooms the names through which a clock, a die or a disk comes in. */

import { posix } from 'node:path'
import ts from 'typescript'
import { importProblem, type Room, roomOf } from './table.ts'

export interface Violation {
  readonly path: string
  /** 1-based. */
  readonly line: number
  readonly reason: string
}

/** Node modules whose results depend on their arguments alone. */
const PURE_MODULES = new Set(['node:crypto'])
/** The part of node:crypto that does: hash, MAC, key derivation, signature, agreement, cipher. */
const PURE_CRYPTO = new Set(
  'createHash createHmac hkdfSync sign verify createPrivateKey createPublicKey diffieHellman createCipheriv createDecipheriv'.split(
    ' ',
  ),
)
/** Packages that a pure room may use. */
const PURE_PACKAGES = new Set(['zod', 'canonicalize', '@bufbuild/protobuf', 'fast-check', 'vitest'])

const BANNED_GLOBALS = new Set(
  'process Buffer fetch setTimeout setInterval setImmediate queueMicrotask performance crypto navigator require __dirname __filename console'.split(
    ' ',
  ),
)

/** Every violation of the rules by one file. `path` is relative to the root. */
export function checkFile(path: string, text: string): Violation[] {
  const room = roomOf(path)
  if (room === undefined) return []
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const isTest = /\.(test|suite)\.ts$/.test(path)
  const found: Violation[] = []
  const report = (node: ts.Node, reason: string | undefined): void => {
    if (reason !== undefined)
      found.push({ path, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, reason })
  }
  const visit = (node: ts.Node): void => {
    const specifier = importedModule(node)
    if (specifier !== undefined) report(node, specifierProblem(room, path, specifier, isTest))
    if (room.pure && !isTest) report(node, impurity(node))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** The module named by an import, a re-export, `import()`, `import type` or `new URL(..., import.meta.url)`. */
function importedModule(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined)
    return literal(node.moduleSpecifier)
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal)
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return literal(node.arguments[0])
  return undefined
}

function literal(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined
}

function specifierProblem(room: Room, path: string, specifier: string, isTest: boolean): string | undefined {
  if (!specifier.startsWith('.')) return room.pure && !isTest ? packageProblem(specifier) : undefined
  const target = posix.normalize(posix.join(posix.dirname(path), specifier))
  const to = roomOf(target)
  if (to !== undefined) return importProblem(room, to, isTest)
  return target.startsWith('src/') ? `${target} is in no room` : undefined
}

function packageProblem(specifier: string): string | undefined {
  if (PURE_MODULES.has(specifier) || PURE_PACKAGES.has(specifier.replace(/^((@[^/]+\/)?[^/]+).*/, '$1')))
    return undefined
  return `a pure room may not import ${specifier}: it takes readers, time and randomness as arguments`
}

/** What makes a pure room impure; types are harmless. */
function impurity(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) && literal(node.moduleSpecifier) === 'node:crypto') return cryptoProblem(node)
  if (ts.isNewExpression(node) && isNamed(node.expression, 'Date') && (node.arguments?.length ?? 0) === 0)
    return 'a pure room reads no clock: new Date() without an argument'
  if (ts.isPropertyAccessExpression(node) && isNamed(node.expression, 'Date') && node.name.text === 'now')
    return 'a pure room reads no clock: Date.now'
  if (ts.isPropertyAccessExpression(node) && isNamed(node.expression, 'Math') && node.name.text === 'random')
    return 'a pure room draws no randomness: Math.random'
  if (isNamed(node, 'globalThis') && !isWebAssemblyOf(node)) return 'a pure room reaches no globals through globalThis'
  if (ts.isIdentifier(node) && BANNED_GLOBALS.has(node.text) && isGlobalUse(node))
    return `a pure room does not use ${node.text}`
  return undefined
}

function cryptoProblem(node: ts.ImportDeclaration): string | undefined {
  const bindings = node.importClause?.namedBindings
  if (bindings === undefined || !ts.isNamedImports(bindings)) return 'a pure room imports node:crypto by name only'
  const impure = bindings.elements
    .filter((element) => !element.isTypeOnly && node.importClause?.isTypeOnly !== true)
    .map((element) => (element.propertyName ?? element.name).text)
    .filter((name) => !PURE_CRYPTO.has(name))
  return impure.length === 0 ? undefined : `a pure room may not import ${impure.join(', ')} from node:crypto`
}

/** `globalThis.WebAssembly`, also behind a cast: pure, and unknown to the type declarations of some engines. */
function isWebAssemblyOf(globals: ts.Node): boolean {
  let node = globals.parent
  while (ts.isAsExpression(node) || ts.isParenthesizedExpression(node)) node = node.parent
  return ts.isPropertyAccessExpression(node) && node.name.text === 'WebAssembly'
}

const isNamed = (node: ts.Node, name: string): boolean => ts.isIdentifier(node) && node.text === name

/** An identifier that stands for itself: not a member's, parameter's or variable's own name, nor one declared in the file. */
function isGlobalUse(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) && parent.expression !== node) return false
  if (ts.isPropertyAssignment(parent) && parent.initializer !== node) return false
  if (ts.isQualifiedName(parent) || ts.isTypeReferenceNode(parent) || ts.isImportSpecifier(parent)) return false
  const named = parent as ts.Node & { name?: ts.Node }
  return named.name !== node && !isDeclaredAround(node)
}

function isDeclaredAround(node: ts.Identifier): boolean {
  for (let scope: ts.Node | undefined = node.parent; scope !== undefined; scope = scope.parent) {
    if (declares(scope, node.text)) return true
  }
  return false
}

function declares(scope: ts.Node, name: string): boolean {
  if (ts.isFunctionLike(scope)) return scope.parameters.some((parameter) => bindingNames(parameter.name).includes(name))
  if (!ts.isBlock(scope) && !ts.isSourceFile(scope)) return false
  return scope.statements.some(
    (statement) =>
      (ts.isVariableStatement(statement) &&
        statement.declarationList.declarations.some((declaration) => bindingNames(declaration.name).includes(name))) ||
      (ts.isFunctionDeclaration(statement) && statement.name?.text === name),
  )
}

function bindingNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? bindingNames(element.name) : []))
}
