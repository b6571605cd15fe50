/**
 * The key ceremony on disk: one public parameter file, and one private share file for each organisation. The dealer's
 * process holds everything for a moment and writes none of it but the shares; who runs it must be trusted by all, or be
 * watched by all, and hand each share to its owner and delete it. See docs/reference/homomorphic.md.
 */

import { lstat, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../base/errors.ts'
import type { OrganisationId } from '../../base/ids.ts'
import type { ModulusBits } from '../../privacy/homomorphic/paillier/parameters.ts'
import type { Dealt, DealRequest, SchemeKind } from '../../privacy/homomorphic/scheme.ts'
import { replaceFile } from '../replace-file.ts'
import type { CkksSet } from './ckks-parameters.ts'
import { dealNewCkks } from './ckks.ts'
import { dealNewHybrid } from './hybrid.ts'
import { openScheme, ownerOfShare } from './open.ts'
import { dealNewPaillier } from './paillier.ts'

export interface Ceremony extends DealRequest {
  readonly kind: SchemeKind
  /** Paillier: vectors are its plaintexts themselves, instead of the keys that hide them. */
  readonly direct: boolean
  readonly modulusBits: ModulusBits
  readonly exponentBits: number
  readonly set: CkksSet
}

export interface CeremonyFiles {
  readonly parameters: string
  readonly shares: readonly { readonly organisation: OrganisationId; readonly path: string }[]
}

const PARAMETERS_FILE = 'parameters.json'
const shareFile = (organisation: OrganisationId): string => `${organisation}.share.json`

/** A sum of fewer tells of one, so rounds take at least so many (learning/encryption-config.ts). */
const ORGANISATIONS_MIN = 3

/**
 * Deals, opens what was dealt, and writes it into a directory that holds no key yet.
 * @throws config-invalid for a ceremony that no round could use, or that a minority could undo; already-exists, input-invalid
 */
export async function holdCeremony(directory: string, ceremony: Ceremony): Promise<CeremonyFiles> {
  requireSound(ceremony)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const parameters = join(directory, PARAMETERS_FILE)
  const exists = await lstat(parameters).catch(() => undefined)
  if (exists !== undefined) fail('already-exists', `${parameters} exists: a key is dealt into a directory of its own`)
  const dealt = await deal(ceremony)
  await requireOpens(dealt)
  const shares = dealt.shares.map(({ organisation }) => ({
    organisation,
    path: join(directory, shareFile(organisation)),
  }))
  for (const [i, { path }] of shares.entries()) await write(path, dealt.shares[i]?.share, 0o600)
  // Last: a directory with parameters has all its shares.
  await write(parameters, dealt.parameters, 0o644)
  return { parameters, shares }
}

/** Before the minutes that primes take. Of up to half of the organisations there are two groups that each open everything. */
function requireSound({ organisations, threshold, levels }: Ceremony): void {
  const count = organisations.length
  if (count < ORGANISATIONS_MIN)
    fail(
      'config-invalid',
      `a key is for ${ORGANISATIONS_MIN} organisations or more: no round under encryption takes fewer`,
    )
  const least = Math.floor(count / 2) + 1
  if (!Number.isInteger(threshold) || threshold < least || threshold > count)
    fail(
      'config-invalid',
      `the threshold of ${count} organisations lies between ${least}, so that no minority opens, and ${count}`,
    )
  if (!Number.isSafeInteger(levels) || levels < 1) fail('config-invalid', 'levels are 1 or more')
}

/** As everybody will who is handed it: a key that cannot be opened must not leave the ceremony. @throws input-invalid */
async function requireOpens({ parameters, shares }: Dealt): Promise<void> {
  await (await openScheme(parameters, 0)).close()
  for (const { organisation, share } of shares)
    if (ownerOfShare(parameters, share) !== organisation) fail('internal', `the share of ${organisation} is another's`)
}

function deal(ceremony: Ceremony): Promise<Dealt> {
  if (ceremony.kind === 'ckks') return dealNewCkks(ceremony, ceremony.set)
  return ceremony.direct ? dealNewPaillier(ceremony, ceremony) : dealNewHybrid(ceremony, ceremony)
}

async function write(path: string, content: unknown, mode: number): Promise<void> {
  await replaceFile(path, `${JSON.stringify(content, null, 2)}\n`, mode).catch((error: Error) =>
    fail('config-invalid', `${path} cannot be written: ${error.message}`),
  )
}

/** A parameter file. @throws config-invalid if it cannot be read; input-invalid if it holds something else */
export async function readParameterFile(path: string): Promise<unknown> {
  const parameters = await readJson(path)
  await (await openScheme(parameters, 0)).close()
  return parameters
}

/** A share that nobody else may read, and that belongs to the parameters. @throws config-invalid, input-invalid */
export async function readShareFile(
  path: string,
  parameters: unknown,
): Promise<{ readonly organisation: OrganisationId; readonly share: unknown }> {
  const found = await lstat(path).catch((error: Error) => fail('config-invalid', `${path}: ${error.message}`))
  if (!found.isFile()) fail('config-invalid', `${path} is not a file`)
  if ((found.mode & 0o077) !== 0) fail('config-invalid', `others may read ${path}: take that away with chmod 600`)
  const share = await readJson(path)
  return { organisation: ownerOfShare(parameters, share), share }
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: Error) => fail('config-invalid', `${path}: ${error.message}`))
  try {
    return JSON.parse(text) as unknown
  } catch {
    // Not the parser's message: it quotes the text, and the text may be a secret.
    return fail('input-invalid', `${path} is not JSON`)
  }
}
