/** Rows and refused lines of every public capture, all records selected; DARPA-98 is in captures.slow.test.ts. */

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../../test/shared.ts'
import { createQuarantine } from './quarantine.ts'
import { readLogs } from './survey.ts'

type Expected = readonly [file: string, lines: number, kinds: Readonly<Record<string, number>>]

/** Lines are records and header lines; kinds that are absent were skipped. */
const CAPTURES: readonly Expected[] = [
  ['zeek/ctu-sme-11-win.conn.log.labeled.gz', 774, { flow: 766 }],
  ['zeek/ctu-sme-11-win.dns.log.labeled.gz', 31, { dns: 22 }],
  ['zeek/ctu-sme-11-win.notice.log.labeled.gz', 11, {}],
  ['zeek/ctu-sme-11-win.ssl.log.labeled.gz', 11, { tls: 2 }],
  [
    'zeek/otrf-apt29-day1.combined_zeek.jsonl.gz',
    2140,
    { flow: 613, dns: 53, kerberos: 35, notice: 2, tls: 378, http: 62 },
  ],
  [
    'zeek/otrf-apt29-day2.combined_zeek.jsonl.gz',
    5664,
    { flow: 1172, dns: 250, kerberos: 86, http: 1, notice: 1, tls: 686 },
  ],
  ['zeek/slips-test9.conn.jsonl.gz', 576, { flow: 576 }],
  ['zeek/wrccdc2018.dns.log.gz', 53_624, { dns: 53_615 }],
  ['zeek/wrccdc2018.kerberos.log.gz', 20, { kerberos: 11 }],
  ['zeek/wrccdc2018.notice.log.gz', 216, { notice: 207 }],
  ['zeek/wrccdc2018.ntlm.log.gz', 431, { ntlm: 422 }],
  ['zeek/wrccdc2018.ntp.log.gz', 913, {}],
  ['zeek/wrccdc2018.rdp.log.gz', 4131, {}],
  ['zeek/wrccdc2018.smtp.log.gz', 1197, {}],
  ['zeek/wrccdc2018.ssl.log.gz', 49_483, { tls: 49_474 }],
  ['zeek/wrccdc2018.syslog.log.gz', 2387, {}],
  ['zeek/wrccdc2018.weird.json.gz', 24_202, {}],
  ['zeek/wrccdc2018.weird.log.gz', 24_211, {}],
  ['zeek/wrccdc2018.x509.log.gz', 357, {}],
  ['suricata/first-org-conf-2015.alerts.json.gz', 5136, { alert: 136 }],
  ['suricata/honeypot-2018.alerts.json.gz', 930, { alert: 44 }],
  ['suricata/slips-test6.eve.json.gz', 5000, { alert: 745, dns: 340, flow: 3512, tls: 1, http: 56 }],
  ['suricata/wrccdc-2017.alerts.json.gz', 5764, { alert: 161 }],
  ['suricata/wrccdc-2018.alerts.json.gz', 7125, { alert: 207 }],
  ['windows/cmd_wevtutil_modify_security_eventlog_path.zip', 25_208, { process: 38, flow: 115 }],
  ['windows/empire_dcsync_dcerpc_drsuapi_DsGetNCChanges.zip', 8465, { flow: 49, logon: 8, process: 4, kerberos: 1 }],
  ['windows/empire_mimikatz_logonpasswords.zip', 6026, { flow: 301, process: 2, logon: 10 }],
  [
    'windows/empire_persistence_registry_modification_run_keys_standard_user.zip',
    40_569,
    { flow: 1045, process: 666, logon: 129, kerberos: 23, ntlm: 2 },
  ],
  ['windows/empire_psexec_dcerpc_tcp_svcctl.zip', 4348, { flow: 91, logon: 8, process: 13, kerberos: 1 }],
  ['windows/purplesharp_ad_playbook_I.zip', 25_993, { flow: 323, process: 48, logon: 56, ntlm: 7, kerberos: 17 }],
]

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)

describe.skipIf(sharedPath('data') === undefined)('public captures', () => {
  it.each(CAPTURES)('%s has %i lines and %o, and none is refused (reads shared data)', async (file, lines, kinds) => {
    const path = sharedPath(`data/${file}`) as string
    const options = { format: 'auto', selection: 'all', quarantine: createQuarantine() } as const
    const { sources, refusedFiles } = await readLogs(
      [path],
      options,
      () => undefined,
      async () => undefined,
    )
    expect(refusedFiles).toEqual([])
    expect(sources).toHaveLength(1)
    expect(sources[0]).toMatchObject({ kinds, source: { lines, interactions: sum(kinds), truncated: false } })
    expect(sources[0]?.source.refused).toEqual({})
  })

  it('are all named here (reads shared data)', () => {
    const files = ['suricata', 'windows', 'zeek'].flatMap((folder) =>
      readdirSync(sharedPath(`data/${folder}`) as string).map((name) => `${folder}/${name}`),
    )
    expect(files.sort()).toEqual(CAPTURES.map(([file]) => file).sort())
  })
})
