/** Where the command line meets the servers that it starts; the two rooms do not know each other. */

import { serveControl, serveHub } from './api/serve.ts'
import { run } from './cli/program.ts'

process.exitCode = await run(process.argv, { serveHub, serveControl })
