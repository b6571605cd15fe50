import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { missingOptional, platformEntry } from './complete-lock.mjs'
import { trackedFiles } from './tracked-files.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const files = trackedFiles(ROOT)
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

describe('the lock file', () => {
  const lock = JSON.parse(read('package-lock.json'))

  it('names no hosts to fetch packages from', () => {
    const resolved = Object.entries<{ resolved?: string }>(lock.packages).filter(
      ([, entry]) => entry.resolved !== undefined,
    )
    expect(resolved).toEqual([])
    expect(read('package-lock.json')).not.toMatch(/https?:\/\/[^"/]*(registry|npm|artifact|proxy)[^"]*\.tgz/)
  })

  it('has every optional platform package, without which npm ci refuses it', () => {
    expect([...missingOptional(lock.packages).keys()]).toEqual([])
  })

  it('is completed with what the name of a platform package says', () => {
    expect(platformEntry('@oxlint/binding-linux-x64-musl', '1.94.0')).toMatchObject({
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    })
    expect(platformEntry('@biomejs/cli-darwin-arm64', '2.6.8')).toMatchObject({ os: ['darwin'], cpu: ['arm64'] })
    expect(() => platformEntry('left-pad', '1.0.0')).toThrow('not a platform package')
    expect(() => platformEntry('@biomejs/cli-darwin-arm64', '^2.6.8')).toThrow('exact version')
  })

  it('pins every dependency exactly', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'))
    const versions: string[] = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies })
    expect(versions.filter((version) => !/^(npm:[a-z]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })
})

describe('the files of this project', () => {
  const isText = (path: string): boolean => /\.(ts|mjs|md|json|ya?ml|html|css)$|^\.[a-z]+rc$|^\.ci\//.test(path)
  const texts = files.filter((path) => isText(path) && path !== 'package-lock.json')
  const containing = (needle: RegExp): string[] => texts.filter((path) => needle.test(read(path)))
  const escaped = (text: string): RegExp => new RegExp(`${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w.-])`)

  it('name no path of the machine that they were written on', () => {
    const paths = [ROOT.replace(/\/$/, ''), join(ROOT, '..', 'shared'), homedir()]
    // A path of one folder, such as "/src" or "/root", would be found in relative paths and in plain words.
    const telling = paths.filter((path) => path.split('/').length > 2)
    expect(telling.flatMap((path) => containing(escaped(path)))).toEqual([])
  })

  it('link to nothing that is not there', () => {
    const pages = files.filter((path) => path.endsWith('.md'))
    expect(pages.flatMap((path) => deadLinks(path, read(path)))).toEqual([])
  })

  it('name no package registry', () => expect(containing(/https?:\/\/registry\./)).toEqual([]))

  it('hold no private key', () =>
    expect(containing(/-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}/)).toEqual([]))
})

/** Links of a page to files that do not exist, and to headings that their page does not have. */
function deadLinks(page: string, text: string): string[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '')
  return targets
    .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(page, target))
    .map((to) => `${page}: ${to}`)
}

function leadsSomewhere(page: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? page : join(dirname(page), decodeURIComponent(file))
  if (!existsSync(join(ROOT, path))) return false
  return anchor === undefined || !path.endsWith('.md') || anchorsOf(read(path)).includes(anchor)
}

const withoutCode = (text: string): string => text.replaceAll(/^```[^]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')

/** As the pages are shown: lower case, without punctuation, hyphens for spaces. */
function anchorsOf(page: string): string[] {
  const headings = [...page.replaceAll(/^```[^]*?^```/gm, '').matchAll(/^#+ +(.*)$/gm)].map(([, title]) => title ?? '')
  return headings.map((title) =>
    title
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
