/** Zeek's logs (docs.zeek.org): the fields that may stay, by log. Names of certificates and mails, files and cookies go. */

import { type FieldRules, fieldRules } from '../actions.ts'

const COMMON = {
  keep: 'ts _path @stream id.orig_p id.resp_p proto label',
  address: 'id.orig_h id.resp_h',
  identifier: 'uid fuid',
  technique: 'technique detailedlabel detailed-label',
}

const KINDS: Readonly<Record<string, FieldRules>> = {
  conn: fieldRules(COMMON, {
    keep: 'service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes',
    mac: 'orig_l2_addr resp_l2_addr',
  }),
  dns: fieldRules(COMMON, {
    keep: 'trans_id rtt qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z TTLs rejected',
    host: 'query answers',
  }),
  http: fieldRules(COMMON, {
    keep: 'trans_depth method version request_body_len response_body_len status_code status_msg info_code orig_mime_types resp_mime_types',
    host: 'host',
    text: 'uri referrer user_agent',
    user: 'username',
  }),
  ssl: fieldRules(COMMON, {
    keep: 'version cipher curve resumed last_alert next_protocol established ssl_history sni_matches_cert validation_status ja3 ja3s',
    host: 'server_name',
  }),
  files: fieldRules(COMMON, {
    keep: 'source depth analyzers mime_type duration local_orig is_orig seen_bytes total_bytes missing_bytes overflow_bytes timedout md5 sha1 sha256',
    address: 'tx_hosts rx_hosts',
    identifier: 'conn_uids',
  }),
  kerberos: fieldRules(COMMON, {
    keep: 'request_type success error_msg from till cipher forwardable renewable',
    user: 'client service',
  }),
  ntlm: fieldRules(COMMON, {
    keep: 'success',
    user: 'username',
    host: 'hostname domainname server_nb_computer_name server_dns_computer_name server_tree_name',
  }),
  notice: fieldRules(COMMON, { keep: 'note p n actions suppress_for', text: 'msg sub', address: 'src dst' }),
  weird: fieldRules(COMMON, { keep: 'name notice source', text: 'addl' }),
  ssh: fieldRules(COMMON, {
    keep: 'version auth_success auth_attempts direction cipher_alg mac_alg compression_alg kex_alg host_key_alg client server',
  }),
  rdp: fieldRules(COMMON, {
    keep: 'result security_protocol client_channels keyboard_layout client_build desktop_width desktop_height requested_color_depth cert_type cert_count cert_permanent encryption_level encryption_method',
    user: 'cookie',
    host: 'client_name',
  }),
  smtp: fieldRules(COMMON, {
    keep: 'trans_depth tls is_webmail',
    host: 'helo',
    user: 'mailfrom rcptto from to',
    address: 'x_originating_ip path',
    text: 'last_reply',
  }),
  dhcp: fieldRules(COMMON, {
    keep: 'lease_time msg_types duration',
    address: 'client_addr server_addr requested_addr assigned_addr',
    mac: 'mac',
    host: 'host_name client_fqdn domain',
  }),
  x509: fieldRules({
    keep: 'ts _path @stream certificate.version certificate.not_valid_before certificate.not_valid_after certificate.key_alg certificate.sig_alg certificate.key_type certificate.key_length certificate.exponent certificate.curve basic_constraints.ca basic_constraints.path_len host_cert client_cert',
    identifier: 'id',
    host: 'san.dns',
    address: 'san.ip',
  }),
  dce_rpc: fieldRules(COMMON, { keep: 'rtt endpoint operation', text: 'named_pipe' }),
  dpd: fieldRules(COMMON, { keep: 'analyzer', text: 'failure_reason' }),
  ntp: fieldRules(COMMON, {
    keep: 'version mode stratum poll precision root_delay root_disp ref_time org_time rec_time xmt_time num_exts',
  }),
  smb_mapping: fieldRules(COMMON, { keep: 'share_type' }),
  smb_files: fieldRules(COMMON, { keep: 'action size times.modified times.accessed times.created times.changed' }),
  syslog: fieldRules(COMMON, { keep: 'facility severity', text: 'message' }),
  tunnel: fieldRules(COMMON, { keep: 'tunnel_type action' }),
}

const OTHER = fieldRules(COMMON)

/** Rules of a log by its path, and the name that a report may give it: names that logs give themselves stay out of it. */
export function zeekRules(path: string): { readonly kind: string; readonly rules: FieldRules } {
  const rules = Object.hasOwn(KINDS, path) ? KINDS[path] : undefined
  return rules === undefined ? { kind: 'zeek/other', rules: OTHER } : { kind: `zeek/${path}`, rules }
}

/** Some shippers write `id_orig_h` for `id.orig_h`. */
export const ZEEK_ALIASES: ReadonlyMap<string, string> = new Map(
  ['id.orig_h', 'id.resp_h', 'id.orig_p', 'id.resp_p']
    .concat([...(KINDS['x509'] ?? new Map()).keys(), ...(KINDS['smb_files'] ?? new Map()).keys()])
    .filter((name) => name.includes('.'))
    .map((name) => [name.replaceAll('.', '_'), name]),
)

/** Log of a JSON record: named, or known by fields that only one has. */
export function zeekPath(record: Readonly<Record<string, unknown>>): string {
  const named = record['_path'] ?? record['@stream']
  if (typeof named === 'string') return named
  if ('conn_state' in record || ('proto' in record && 'orig_pkts' in record)) return 'conn'
  if ('query' in record && ('qtype' in record || 'trans_id' in record)) return 'dns'
  if ('trans_depth' in record && ('method' in record || 'status_code' in record)) return 'http'
  if ('note' in record) return 'notice'
  return 'cipher' in record && 'version' in record ? 'ssl' : ''
}
