/** Windows events, flows as CSV, and this program's own interactions: the fields that may stay. */

import { fieldRules } from '../actions.ts'

/**
 * Windows events of Sysmon and the Security log. `Message` repeats every field as prose and `ScriptBlockText` is whatever
 * somebody wrote: both go. Paths and command lines stay as texts.
 */
export const WINDOWS = fieldRules({
  keep: '@timestamp EventTime UtcTime TimeCreated CreationUtcTime EventReceivedTime EventID EventType Channel SourceName ProviderName ProviderGuid Version Task Category Level Severity SeverityValue Opcode OpcodeValue RuleName ProcessId ProcessID ParentProcessId NewProcessId SourceProcessId TargetProcessId ExecutionProcessID ThreadID SourceThreadId NewThreadId GrantedAccess AccessMask AccessList AccessReason ObjectServer ObjectType PrivilegeList TokenElevationType MandatoryLabel IntegrityLevel ElevatedToken VirtualAccount LogonType LogonProcessName AuthenticationPackageName LmPackageName KeyLength ImpersonationLevel Status SubStatus FailureReason TicketOptions TicketEncryptionType PreAuthType Protocol SourcePort DestPort DestinationPort IpPort SourcePortName DestinationPortName SourceIsIpv6 DestinationIsIpv6 Initiated Direction LayerName Hashes Hash FileVersion Product Company OriginalFileName Signed Signature SignatureStatus QueryStatus Archived IsExecutable TerminalSessionId label',
  address: 'SourceIp DestinationIp SourceAddress DestAddress IpAddress ClientAddress',
  host: 'Hostname Computer host WorkstationName Workstation SourceHostname DestinationHostname TargetServerName QueryName',
  user: 'User SourceUser TargetUser ParentUser SubjectUserName SubjectDomainName TargetUserName TargetDomainName TargetOutboundUserName TargetOutboundDomainName AccountName Domain UserName ServiceName ServiceAccount',
  sid: 'SubjectUserSid TargetUserSid UserSid UserID TargetSid ServiceSid',
  number: 'RecordNumber',
  text: 'Image ParentImage SourceImage TargetImage NewProcessName ProcessName ParentProcessName Application ImageLoaded CommandLine ParentCommandLine TargetObject Details TargetFilename PipeName ShareName RelativeTargetName ObjectName Description QueryResults CallTrace StartModule StartFunction',
  technique: 'technique',
})

/** Columns of Argus and nfdump, in lowercase. */
export const NETFLOW = fieldRules({
  keep: 'starttime ts te firstseen lastseen dur td duration proto pr sport sp srcport dport dp dstport dir state stos dtos totpkts totbytes srcbytes srcpkts ibyt ipkt obyt opkt bytes packets dstbytes dstpkts flg flags fwd stos tos in out sas das sysid label',
  address: 'srcaddr sa dstaddr da',
})

export const INTERACTION = fieldRules({
  keep: 'time kind sourcePort destinationPort protocol service durationSeconds sourceBytes destinationBytes sourcePackets destinationPackets connectionState label',
  host: 'source destination',
  user: 'user',
  text: 'detail',
  technique: 'technique',
})
