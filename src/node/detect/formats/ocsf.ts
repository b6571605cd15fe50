/** OCSF Detection Finding, class 2004 (schema.ocsf.io, 1.9.0-dev): held against the compiled schema in the tests. */

import type { Interaction } from '../../../telemetry/interaction.ts'
import { addressWords } from '../../../telemetry/address.ts'
import {
  attackTechnique,
  type Detection,
  type DetectionContext,
  type Direction,
  type Explanation,
  interactionId,
  isoTime,
  messageOf,
  milliseconds,
  parentTechnique,
  riskOf,
  severityOf,
} from '../detection.ts'

const VERSION = '1.9.0-dev'
const IP_OBSERVABLE = 2
const LEARNING = 4

const SEVERITIES = {
  none: { severity_id: 1, severity: 'Informational' },
  unknown: { severity_id: 0, severity: 'Unknown' },
  low: { severity_id: 2, severity: 'Low' },
  medium: { severity_id: 3, severity: 'Medium' },
  high: { severity_id: 4, severity: 'High' },
} as const

/** `Lateral` is OCSF's word for a contact between two hosts of one's own. */
const DIRECTIONS: Readonly<Record<Direction, { direction_id: number; direction: string }>> = {
  inbound: { direction_id: 1, direction: 'Inbound' },
  outbound: { direction_id: 2, direction: 'Outbound' },
  internal: { direction_id: 3, direction: 'Lateral' },
  external: { direction_id: 0, direction: 'Unknown' },
}

const isAddress = (host: string): boolean => addressWords(host) !== undefined

/** Hosts, users and processes of Windows events have names instead of addresses. */
function endpoint(host: string, port: number | undefined) {
  return { ...(isAddress(host) ? { ip: host } : { name: host }), ...(port === undefined ? {} : { port }) }
}

/** Below finding_info: at the top it belongs to the profile of security controls. */
function attacks(interaction: Interaction) {
  const technique = attackTechnique(interaction)
  if (technique === null) return {}
  const above = { technique: { uid: parentTechnique(technique) } }
  return { attacks: [technique.includes('.') ? { ...above, sub_technique: { uid: technique } } : above] }
}

function evidence({ interaction, direction, log, line }: Detection) {
  const { source, destination, sourcePort, destinationPort, protocol } = interaction
  return {
    src_endpoint: endpoint(source, sourcePort),
    dst_endpoint: endpoint(destination, destinationPort),
    connection_info: { ...DIRECTIONS[direction], ...(protocol === undefined ? {} : { protocol_name: protocol }) },
    data: { log, line, interaction },
  }
}

function observables({ source, destination }: Interaction) {
  const found = [
    { name: 'evidences[].src_endpoint.ip', value: source },
    { name: 'evidences[].dst_endpoint.ip', value: destination },
  ].filter(({ value }) => isAddress(value))
  return found.map((one) => ({ ...one, type_id: IP_OBSERVABLE, type: 'IP Address' }))
}

/** The features that carried the score, beside what is usual. */
function analysis({ features }: Explanation, { source, destination }: Interaction) {
  if (features.length === 0) return {}
  const observation = (name: string, value: number, text: string) => ({
    observation_parameter: name,
    observation_type: 'feature',
    observations: [{ value: String(value) }],
    observed_pattern: text,
  })
  return {
    anomaly_analyses: [
      {
        analysis_targets: [
          { name: source, type: 'source' },
          { name: destination, type: 'destination' },
        ],
        anomalies: features.map(({ name, value, text }) => observation(name, value, text)),
        baselines: features.map(({ name, usual }) => observation(name, usual, 'mean of the traffic before')),
      },
    ],
  }
}

function related({ past }: Explanation, modelDigest: string) {
  if (past.length === 0) return {}
  const related_events = past.map(({ interaction, relation, share }) => ({
    uid: interactionId(modelDigest, interaction),
    title: `${relation}: ${interaction.source} contacted ${interaction.destination}`,
    desc: share === null ? 'recent contact' : `the score falls by ${share.toPrecision(3)} without it`,
    first_seen_time: milliseconds(interaction.time),
  }))
  return { related_events, related_events_count: past.length }
}

function findingInfo(detection: Detection, { modelDigest, modelKind }: DetectionContext) {
  const { id, interaction, log, explanation } = detection
  const time = milliseconds(interaction.time)
  return {
    uid: id,
    title: 'Suspicious contact',
    desc: messageOf(detection),
    types: ['Network contact'],
    analytic: { name: `entente ${modelKind}`, uid: modelDigest, type_id: LEARNING, type: 'Learning (ML/DL)' },
    data_sources: [log],
    first_seen_time: time,
    last_seen_time: time,
    ...attacks(interaction),
    ...(explanation === null ? {} : related(explanation, modelDigest)),
  }
}

export function ocsfDetection(detection: Detection, context: DetectionContext) {
  const { id, interaction, log, score, threshold, alert, alertsPerDay, explanation } = detection
  const start = milliseconds(interaction.time)
  return {
    activity_id: 1,
    activity_name: 'Create',
    category_uid: 2,
    category_name: 'Findings',
    class_uid: 2004,
    class_name: 'Detection Finding',
    type_uid: 200_401,
    type_name: 'Detection Finding: Create',
    ...SEVERITIES[severityOf(detection)],
    status_id: 1,
    status: 'New',
    is_alert: alert,
    message: messageOf(detection),
    time: context.now(),
    timezone_offset: 0,
    start_time: start,
    end_time: milliseconds(interaction.time + (interaction.durationSeconds ?? 0)),
    metadata: {
      version: VERSION,
      uid: id,
      log_name: log,
      original_time: isoTime(interaction.time),
      product: { name: 'Entente', vendor_name: 'Entente', version: context.programVersion },
    },
    finding_info: findingInfo(detection, context),
    evidences: [evidence(detection)],
    observables: observables(interaction),
    ...(explanation === null ? {} : analysis(explanation, interaction)),
    risk_score: riskOf(detection),
    unmapped: { score, threshold, alerts_per_day: alertsPerDay, usual_score: explanation?.usualScore ?? null },
  }
}
