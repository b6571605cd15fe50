/** Child processes that are silent unless they fail. */

import { spawn } from 'node:child_process'

/**
 * @param {string} command @param {string[]} parameters @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<void>}
 */
export function run(command, parameters, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    /** @type {Buffer[]} */
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.on('error', (cause) => reject(new Error(`cannot run ${command}: ${cause.message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve()
      reject(
        new Error(
          `${command} ${parameters.join(' ')} ended with ${code ?? signal}:\n${Buffer.concat(output).toString('utf8')}`,
        ),
      )
    })
  })
}
