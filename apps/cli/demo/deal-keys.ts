/** The key ceremony of the demo, which is everybody's dealer: a share for each node, in its own directory. */

import { rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { organisationId } from '../../../src/base/ids.ts'
import type { EncryptionConfig } from '../../../src/learning/encryption-config.ts'
import { setConfigValue } from '../../../src/node/config-edit.ts'
import { holdCeremony, readParameterFile } from '../../../src/node/homomorphic/ceremony.ts'
import { openScheme } from '../../../src/node/homomorphic/open.ts'
import type { SchemeKind } from '../../../src/privacy/homomorphic/scheme.ts'
import { type Federation, keyFile } from './federation.ts'
import { DEFAULT_LEVELS } from '../../../src/privacy/homomorphic/packing.ts'

/** Deals a key and tells each node where its share is. More than two thirds open a sum. */
export async function dealKeys({ directory, members }: Federation, kind: SchemeKind): Promise<void> {
  const organisations = members.map(({ id }) => organisationId(id)).sort()
  const { parameters, shares } = await holdCeremony(dirname(keyFile(directory)), {
    kind,
    direct: false,
    organisations,
    threshold: Math.floor((2 * organisations.length) / 3) + 1,
    modulusBits: 2048,
    exponentBits: 256,
    set: '50-50',
    levels: DEFAULT_LEVELS,
    contributionsMax: organisations.length,
  })
  for (const { organisation, path } of shares) {
    const member = members.find(({ id }) => id === organisation)
    if (member === undefined) continue
    const share = join(member.directory, 'keys', 'share.json')
    await rename(path, share)
    await setConfigValue(member.directory, ['encryption'], { parameters, share })
    await setConfigValue(member.directory, ['protections'], [kind])
  }
}

/** What a training says of the key; null where none was dealt. */
export async function dealtKey({ directory }: Federation): Promise<EncryptionConfig | null> {
  const file = keyFile(directory)
  if ((await stat(file).catch(() => undefined)) === undefined) return null
  const { parameters, threshold } = await openScheme(await readParameterFile(file), 0)
  return { parameters, threshold }
}
