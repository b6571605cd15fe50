import { describe, expect, it } from 'vitest'
import { ocsfProblems, ocsfSchema } from '../../../../test/ocsf.ts'
import type { Interaction } from '../../../telemetry/interaction.ts'
import { attackTechnique, type Detection, type DetectionContext, riskOf, severityOf } from '../detection.ts'
import { ecsDetection } from './ecs.ts'
import { jsonDetection } from './json-lines.ts'
import { ocsfDetection } from './ocsf.ts'

const context: DetectionContext = {
  modelDigest: 'ab'.repeat(32),
  modelKind: 'tgnn',
  programVersion: '0.1.0',
  now: () => 1_800_000_000_123,
}

const interaction: Interaction = {
  time: 1_700_000_000.25,
  source: '10.0.0.1',
  destination: '2001:db8::5',
  kind: 'flow',
  sourcePort: 49152,
  destinationPort: 445,
  protocol: 'tcp',
  service: 'smb',
  durationSeconds: 1.5,
  sourceBytes: 10,
  destinationBytes: 20,
  label: 'attack',
  technique: 'T1021.002',
}

const detection: Detection = {
  id: '0'.repeat(32),
  interaction,
  direction: 'outbound',
  log: 'conn.log',
  line: 7,
  score: 3.5,
  threshold: 2,
  alert: true,
  alertsPerDay: 5,
  explanation: {
    usualScore: -4,
    features: [{ name: 'newPair', text: 'never met: yes (usually in 2 %)', value: 1, usual: 0.02, share: 2.5 }],
    past: [
      {
        relation: 'same source',
        secondsBefore: 3,
        share: 0.7,
        interaction: { ...interaction, time: 1_699_999_997.25 },
      },
      { relation: 'same pair', secondsBefore: 9, share: null, interaction: { ...interaction, time: 1_699_999_991.25 } },
    ],
  },
}

const bare: Detection = {
  ...detection,
  direction: 'external',
  interaction: { time: 0, source: 'pc7.example.org', destination: 'example\\alice', kind: 'logon' },
  threshold: null,
  alert: false,
  alertsPerDay: null,
  explanation: null,
}

/** A log may claim any amount. */
const endless: Detection = { ...detection, interaction: { ...interaction, durationSeconds: 1e300, sourceBytes: 1e300 } }

const schema = ocsfSchema()

function replace(fields: Record<string, unknown>, [name = '', ...below]: readonly string[], value: unknown): void {
  if (below.length === 0) fields[name] = value
  else replace(fields[name] as Record<string, unknown>, below, value)
}
/** As a reader gets it: without what is undefined. */
const read = (value: unknown): Record<string, unknown> => JSON.parse(JSON.stringify(value)) as Record<string, unknown>

describe.skipIf(schema === undefined)('a finding in OCSF (reads the shared schema)', () => {
  const problems = (finding: unknown): readonly string[] =>
    ocsfProblems(schema as NonNullable<typeof schema>, 'detection_finding', finding)

  it('is valid with and without an explanation, ports, addresses, a technique', () => {
    for (const one of [
      detection,
      bare,
      endless,
      { ...detection, explanation: null },
      { ...detection, explanation: { usualScore: 0, features: [], past: [] } },
      { ...detection, interaction: { ...interaction, technique: 'T1046' } },
      { ...detection, interaction: { ...interaction, technique: 'Attempted Information Leak' } },
      ...(['inbound', 'internal'] as const).map((direction) => ({ ...detection, direction })),
      ...[0.5, 100, null].map((alertsPerDay) => ({ ...detection, alertsPerDay })),
    ])
      expect(problems(read(ocsfDetection(one, context)))).toEqual([])
  })

  it('would be found broken: required, unknown, types, enums, siblings, patterns, ranges, nested objects, constraints', () => {
    const broken: Record<string, [path: string, value: unknown]> = {
      '.finding_info: is required': ['finding_info', undefined],
      '.metadata.product: is required': ['metadata.product', undefined],
      '.finding_info.uid: is required': ['finding_info.uid', undefined],
      '.flavour: is not in the schema': ['flavour', 1],
      '.cloud: is not in the schema': ['cloud', { provider: 'x' }],
      '.attacks: is not in the schema': ['attacks', []],
      '.message: 5 is no string_t': ['message', 5],
      '.time: 1.5 is no long_t': ['time', 1.5],
      '.is_alert: "yes" is no boolean_t': ['is_alert', 'yes'],
      '.severity_id: 7 is not in the enum': ['severity_id', 7],
      '.severity_id: is High, but severity says "Medium"': ['severity_id', 4],
      '.class_uid: 2005 is not in the enum': ['class_uid', 2005],
      '.evidences: is no array': ['evidences', {}],
      '.evidences[0]: is no object': ['evidences.0', 'x'],
      '.evidences[0].src_endpoint.ip: "10.0.0" is no ip_t': ['evidences.0.src_endpoint.ip', '10.0.0'],
      '.evidences[0].dst_endpoint.port: 70000 is outside 0 to 65535': ['evidences.0.dst_endpoint.port', 70_000],
      '.evidences[0].dst_endpoint: needs one of': ['evidences.0.dst_endpoint', { port: 1 }],
      '.finding_info.attacks[0].technique: needs one of': ['finding_info.attacks.0.technique', {}],
      '.anomaly_analyses[0].anomalies[0].observations[0].value: is required': [
        'anomaly_analyses.0.anomalies.0.observations.0.value',
        undefined,
      ],
      '.metadata.version: is not that of the schema': ['metadata.version', '1.0.0'],
    }
    for (const [problem, [path, value]] of Object.entries(broken)) {
      const finding = read(ocsfDetection(detection, context))
      replace(finding, path.split('.'), value)
      expect(problems(finding).map((line) => line.slice(0, problem.length))).toContain(problem)
    }
    expect(problems(null)).toEqual(['event: is no object'])
    expect(ocsfProblems(schema as NonNullable<typeof schema>, 'nonsense', {})).toEqual(['there is no class nonsense'])
  })
})

describe('a finding in OCSF', () => {
  it('says what was found, where, why, and when', () => {
    const finding = read(ocsfDetection(detection, context))
    expect(finding).toMatchObject({
      class_uid: 2004,
      type_uid: 200_401,
      is_alert: true,
      severity: 'Medium',
      time: 1_800_000_000_123,
      start_time: 1_700_000_000_250,
      end_time: 1_700_000_001_750,
      evidences: [{ src_endpoint: { ip: '10.0.0.1', port: 49152 }, dst_endpoint: { ip: '2001:db8::5', port: 445 } }],
      anomaly_analyses: [{ anomalies: [{ observation_parameter: 'newPair' }] }],
      finding_info: {
        uid: detection.id,
        related_events_count: 2,
        attacks: [{ technique: { uid: 'T1021' }, sub_technique: { uid: 'T1021.002' } }],
      },
    })
  })

  it('names hosts and users that have no address, and calls nothing an attack that the log does not', () => {
    const finding = read(ocsfDetection(bare, context))
    expect(finding).toMatchObject({
      is_alert: false,
      severity_id: 0,
      evidences: [{ src_endpoint: { name: 'pc7.example.org' }, dst_endpoint: { name: 'example\\alice' } }],
      observables: [],
    })
    expect(finding).not.toHaveProperty('finding_info.attacks')
  })
})

describe('a detection in ECS', () => {
  it('has the fields of the schema, and its own below one name', () => {
    const event = read(ecsDetection(detection, context))
    expect(event).toMatchObject({
      '@timestamp': '2023-11-14T22:13:20.250Z',
      'ecs': { version: '8.11.0' },
      'event': {
        kind: 'alert',
        category: ['intrusion_detection', 'network'],
        type: ['connection', 'info'],
        end: '2023-11-14T22:13:21.750Z',
        duration: 1_500_000_000,
        severity: 47,
        risk_score: 97,
      },
      'source': { address: '10.0.0.1', ip: '10.0.0.1', port: 49152, bytes: 10 },
      'destination': { address: '2001:db8::5', ip: '2001:db8::5', port: 445, bytes: 20 },
      'network': { transport: 'tcp', protocol: 'smb', direction: 'outbound', bytes: 30 },
      'threat': { framework: 'MITRE ATT&CK', technique: { id: ['T1021'], subtechnique: { id: ['T1021.002'] } } },
      'rule': { id: context.modelDigest, name: 'entente tgnn' },
      'related': { ip: ['10.0.0.1', '2001:db8::5'] },
    })
    const allowed =
      '@timestamp ecs message event source destination network user rule threat related log observer entente'
    expect(Object.keys(event).filter((name) => !allowed.split(' ').includes(name))).toEqual([])
  })

  it('is an event and no alert below the threshold, with domains for what is no address', () => {
    const event = read(ecsDetection(bare, context))
    expect(event).toMatchObject({ event: { kind: 'event', severity: 0 }, source: { domain: 'pc7.example.org' } })
    expect(event).not.toHaveProperty('threat')
    expect(event).not.toHaveProperty('source.ip')
    expect(read(ecsDetection(endless, context))).toMatchObject({ event: { end: '9999-12-31T23:59:59.000Z' } })
  })
})

describe('a detection in JSON lines', () => {
  it('says whether the technique comes from the log, and shows the past with its share', () => {
    const line = read(jsonDetection(detection, context))
    expect(line).toMatchObject({
      format: 'entente-detection-1',
      alert: true,
      technique: 'T1021.002',
      log: { name: 'conn.log', line: 7, label: 'attack', technique: 'T1021.002' },
      explanation: { past: [{ relation: 'same source', secondsBefore: 3, share: 0.7 }, { share: null }] },
      message: '10.0.0.1 contacted 2001:db8::5 port 445 (smb); never met: yes (usually in 2 %)',
    })
    expect(read(jsonDetection(bare, context))).toMatchObject({ technique: null, explanation: null, threshold: null })
  })
})

describe('what is said of every detection', () => {
  it('takes for a technique only what has the form of one', () => {
    for (const technique of ['T1046', 'T1021.002'])
      expect(attackTechnique({ ...interaction, technique })).toBe(technique)
    for (const technique of ['neptune', 'T1', 'T1046x', 'Misc Attack', 'T1021.02', ''])
      expect(attackTechnique({ ...interaction, technique })).toBeNull()
  })

  it('is the more severe, the rarer such a score was in the calibration, and unknown without one', () => {
    const severity = (alertsPerDay: number | null) => severityOf({ ...detection, alertsPerDay })
    expect([0.1, 1, 10, 20, null].map(severity)).toEqual(['high', 'medium', 'medium', 'low', 'unknown'])
    expect(severityOf({ ...detection, alert: false })).toBe('none')
    expect([-50, 0, 50].map((score) => riskOf({ ...detection, score }))).toEqual([0, 50, 100])
  })
})
