/** `--serve`: the federation stays up, so that a newcomer can look around with the other commands. */

import type { Federation } from './federation.ts'
import type { Interrupt } from './interrupt.ts'

export async function serveUntilInterrupted(
  federation: Federation,
  modelHash: string,
  interrupt: Interrupt,
): Promise<void> {
  const organisation = federation.members[0]?.directory ?? ''
  process.stderr.write(
    [
      '',
      `The federation is running; model ${modelHash.slice(0, 16)}…. Try, in another terminal:`,
      `  npm run entente -- status --dir ${federation.hubDirectory}`,
      `  npm run entente -- status --dir ${organisation}`,
      `  npm run entente -- ledger show --dir ${organisation}`,
      'Ctrl-C stops it and goes on to the evaluation.',
      '',
    ].join('\n'),
  )
  await interrupt.wait()
}
