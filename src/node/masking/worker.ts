/** A thread of the crew. */

import { serveCalls } from '../worker-server.ts'
import { createRangeWorker, type RangeTask } from './range-work.ts'

const work = createRangeWorker()

serveCalls(async (task: RangeTask) => ({ result: work(task) }))
