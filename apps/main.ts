/** Where the command line meets the servers that it starts; the two rooms do not know each other. */

import { run } from './cli/program.ts'

/** Loaded by those commands that serve. */
const api = () => import('./api/serve.ts')

process.exitCode = await run(process.argv, {
  serveHub: async (hub, options) => (await api()).serveHub(hub, options),
  serveControl: async (node, options) => (await api()).serveControl(node, options),
})
