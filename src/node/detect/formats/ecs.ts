/** Elastic Common Schema, version 8.11 (elastic.co/guide/en/ecs): fields of its own only below `entente`. */

import { addressWords } from '../../../telemetry/address.ts'
import type { Interaction } from '../../../telemetry/interaction.ts'
import {
  attackTechnique,
  type Detection,
  type DetectionContext,
  isoTime,
  messageOf,
  milliseconds,
  parentTechnique,
  riskOf,
  severityOf,
} from '../detection.ts'

/** Larger is worse; ECS leaves the scale to the source. */
const SEVERITIES = { none: 0, unknown: 0, low: 21, medium: 47, high: 73 } as const

const isAddress = (host: string): boolean => addressWords(host) !== undefined

function end(address: string, port?: number, bytes?: number, packets?: number) {
  return { address, ...(isAddress(address) ? { ip: address } : { domain: address }), port, bytes, packets }
}

function network({ protocol, service, sourceBytes, destinationBytes }: Interaction, direction: string) {
  const bytes =
    sourceBytes === undefined && destinationBytes === undefined
      ? undefined
      : (sourceBytes ?? 0) + (destinationBytes ?? 0)
  return { transport: protocol, protocol: service, direction, bytes }
}

function threat(interaction: Interaction) {
  const technique = attackTechnique(interaction)
  if (technique === null) return {}
  const sub = technique.includes('.') ? { subtechnique: { id: [technique] } } : {}
  return { threat: { framework: 'MITRE ATT&CK', technique: { id: [parentTechnique(technique)], ...sub } } }
}

function event(detection: Detection, { now }: DetectionContext) {
  const { id, interaction, alert } = detection
  const { time, durationSeconds } = interaction
  return {
    kind: alert ? 'alert' : 'event',
    category: alert ? ['intrusion_detection', 'network'] : ['network'],
    type: alert ? ['connection', 'info'] : ['connection'],
    dataset: 'entente.detection',
    module: 'entente',
    id,
    created: new Date(now()).toISOString(),
    start: isoTime(time),
    end: durationSeconds === undefined ? undefined : isoTime(time + durationSeconds),
    // Nanoseconds.
    duration: durationSeconds === undefined ? undefined : 1e6 * milliseconds(durationSeconds),
    risk_score: riskOf(detection),
    severity: SEVERITIES[severityOf(detection)],
    reason: messageOf(detection),
  }
}

/** Members that are undefined are left out when the object is written as JSON. */
export function ecsDetection(detection: Detection, context: DetectionContext) {
  const { interaction, direction, log, line, score, threshold, alertsPerDay, explanation } = detection
  const { source, sourcePort, sourceBytes, sourcePackets, user } = interaction
  const { destination, destinationPort, destinationBytes, destinationPackets } = interaction
  return {
    '@timestamp': isoTime(interaction.time),
    'ecs': { version: '8.11.0' },
    'message': messageOf(detection),
    'event': event(detection, context),
    'source': end(source, sourcePort, sourceBytes, sourcePackets),
    'destination': end(destination, destinationPort, destinationBytes, destinationPackets),
    'network': network(interaction, direction),
    'user': user === undefined ? undefined : { name: user },
    'rule': {
      id: context.modelDigest,
      name: `entente ${context.modelKind}`,
      category: 'learnt model',
      description: explanation?.features.map(({ text }) => text).join('; '),
    },
    ...threat(interaction),
    'related': { ip: [...new Set([source, destination])].filter(isAddress) },
    'log': { file: { path: log } },
    'observer': { vendor: 'Entente', product: 'Entente', type: 'ids', version: context.programVersion },
    'entente': { line, score, threshold, alertsPerDay, label: interaction.label, explanation },
  }
}
