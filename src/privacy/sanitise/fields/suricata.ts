/** Suricata's EVE records (docs.suricata.io, "Eve JSON Format"): the fields that may stay, by event type. */

import { type FieldRules, fieldRules } from '../actions.ts'

const COMMON = {
  keep: 'timestamp event_type src_port dest_port proto app_proto tx_id icmp_type icmp_code direction pkt_src ip_v vlan flow.pkts_toserver flow.pkts_toclient flow.bytes_toserver flow.bytes_toclient flow.start flow.end flow.age flow.state flow.reason flow.alerted metadata.flowbits',
  address: 'src_ip dest_ip flow.src_ip flow.dest_ip',
  number: 'flow_id parent_id',
}
const HTTP = {
  keep: 'http.http_method http.http_port http.length http.protocol http.status http.http_content_type http.version',
  host: 'http.hostname',
  text: 'http.url http.http_user_agent http.http_refer http.redirect',
}
const TLS = {
  keep: 'tls.version tls.notbefore tls.notafter tls.ja3.hash tls.ja3.string tls.ja3s.hash tls.ja3s.string tls.ja4 tls.session_resumed',
  host: 'tls.sni',
}
const DNS = {
  keep: 'dns.id dns.qr dns.ra dns.rd dns.aa dns.tc dns.rcode dns.flags dns.rrtype dns.tx_id dns.type dns.version dns.opcode dns.ttl dns.answers.rrtype dns.answers.ttl dns.queries.rrtype dns.queries.tx_id',
  host: 'dns.rrname dns.grouped.A dns.grouped.AAAA dns.grouped.CNAME dns.answers.rrname dns.answers.rdata dns.queries.rrname',
}
const FILE = {
  keep: 'fileinfo.gaps fileinfo.sid fileinfo.size fileinfo.state fileinfo.stored fileinfo.tx_id fileinfo.md5 fileinfo.sha1 fileinfo.sha256 fileinfo.magic',
}
const ALERT = {
  keep: 'alert.action alert.gid alert.signature_id alert.rev alert.severity alert.category alert.metadata.affected_product alert.metadata.attack_target alert.metadata.created_at alert.metadata.updated_at alert.metadata.deployment alert.metadata.former_category alert.metadata.signature_severity alert.metadata.tag alert.metadata.mitre_tactic_id alert.metadata.mitre_technique_id',
  text: 'alert.signature',
  technique: 'technique',
}
const TCP = {
  keep: 'tcp.state tcp.syn tcp.fin tcp.rst tcp.psh tcp.ack tcp.urg tcp.ecn tcp.cwr tcp.tcp_flags tcp.tcp_flags_ts tcp.tcp_flags_tc',
}

const KINDS: Readonly<Record<string, FieldRules>> = {
  flow: fieldRules(COMMON, TCP),
  netflow: fieldRules(COMMON, TCP, {
    keep: 'netflow.pkts netflow.bytes netflow.start netflow.end netflow.age netflow.min_ttl netflow.max_ttl',
  }),
  alert: fieldRules(COMMON, ALERT, HTTP, TLS, DNS),
  dns: fieldRules(COMMON, DNS),
  http: fieldRules(COMMON, HTTP),
  tls: fieldRules(COMMON, TLS),
  fileinfo: fieldRules(COMMON, FILE, HTTP),
  anomaly: fieldRules(COMMON, { keep: 'anomaly.app_proto anomaly.event anomaly.layer anomaly.type anomaly.code' }),
  ssh: fieldRules(COMMON, {
    keep: 'ssh.client.proto_version ssh.client.software_version ssh.server.proto_version ssh.server.software_version',
  }),
  smb: fieldRules(COMMON, {
    keep: 'smb.id smb.dialect smb.command smb.status smb.status_code smb.session_id smb.tree_id',
  }),
  dhcp: fieldRules(COMMON, {
    keep: 'dhcp.type dhcp.id dhcp.dhcp_type dhcp.lease_time',
    mac: 'dhcp.client_mac',
    address: 'dhcp.assigned_ip dhcp.client_ip dhcp.requested_ip dhcp.relay_ip dhcp.next_server_ip',
    host: 'dhcp.hostname',
  }),
}

const OTHER = fieldRules(COMMON)

export function suricataRules(eventType: unknown): { readonly kind: string; readonly rules: FieldRules } {
  const type = typeof eventType === 'string' ? eventType : ''
  const rules = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined
  return rules === undefined ? { kind: 'suricata/other', rules: OTHER } : { kind: `suricata/${type}`, rules }
}
