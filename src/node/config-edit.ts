/** Changes to `entente.yaml` made by commands: comments and order stay, and nothing is written that would not be read. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { CONFIG_FILE, parseConfig, writeConfig } from './config.ts'

/**
 * Sets the value at `path` (e.g. `['data', 'labels']`).
 * @throws config-invalid if the file would no longer be valid; then it is left as it was
 */
export async function setConfigValue(directory: string, path: readonly string[], value: unknown): Promise<void> {
  const file = join(directory, CONFIG_FILE)
  const document = parseDocument(await readFile(file, 'utf8'))
  document.setIn(path, document.createNode(value, { flow: true }))
  const text = document.toString({ lineWidth: 0 })
  parseConfig(text, process.env, file)
  await writeConfig(directory, text)
}
