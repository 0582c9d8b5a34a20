export type { AuditEvent, AuditEventName, Caller } from './append'
export { appendAudit, recordAudit, system } from './append'
export type { AuditRow } from './chain'
export { type ChainBreak, verifyRows } from './verify'
