import { join } from 'node:path'
import { Command } from 'commander'
import { hasBothClasses, splitCapture, type SplitReport } from '../../../src/node/split.ts'
import { overlaySplit } from '../../../src/node/split/overlay.ts'
import { wholeNumber } from '../demo/options.ts'
import { columns, print } from '../output.ts'
import { jsonOption, type NodeOptions } from './options.ts'

interface SplitOptions extends NodeOptions {
  readonly out: string
  readonly sites: string
  readonly seed: string
}

export interface PreparedCapture extends SplitReport {
  /** `synthetic-campaigns`: the capture had no labels of both classes, so labelled campaigns were laid over it. */
  readonly labelSource: 'capture' | 'synthetic-campaigns'
}

export function splitCommand(): Command {
  return new Command('split-capture')
    .description('split one capture into a log per local network, to try a federation out on one machine')
    .argument('<capture>', 'DARPA 1998 zip, Zeek conn.log or Suricata eve.json, gzip or not')
    .requiredOption('--out <directory>', 'where the logs go')
    .option('--sites <n>', 'organisations', '5')
    .option('--seed <n>', 'seed of the shuffle inside DARPA’s minutes, and of campaigns', '42')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ entente split-capture conn.log.gz --out sites --sites 3')
    .action(async (capture: string, options: SplitOptions) => {
      const prepared = await prepareCapture(capture, options)
      print(prepared, options, ({ sites, labelSource }) =>
        [
          columns([
            ['site', 'interactions', 'attacks', 'networks', 'file'],
            ...sites.map((site) => [
              site.name,
              String(site.interactions),
              String(site.positives),
              site.localNetworks.slice(0, 3).join(' '),
              site.path,
            ]),
          ]),
          ...(labelSource === 'capture'
            ? []
            : ['The capture has no labels of both classes: synthetic campaigns lie over it.']),
        ].join('\n'),
      )
    })
}

/** @throws input-invalid, invalid-request, storage-full */
async function prepareCapture(path: string, { out, sites, seed }: SplitOptions): Promise<PreparedCapture> {
  const split = await splitCapture({
    path,
    format: 'auto',
    sites: wholeNumber('--sites', sites, 1, 26),
    directory: out,
    seed,
  })
  if (hasBothClasses(split)) return { ...split, labelSource: 'capture' }
  const overlaid = await overlaySplit(split, { directory: join(out, 'overlaid'), seed })
  return { ...overlaid, labelSource: overlaid.labels }
}
