/**
 * The API's words, under the names that the product uses. Only this folder knows the generated schema, and takes its
 * types from the calls, so that a schema may be renamed there without a change here.
 */

import type { paths } from './generated/schema'

type Json<R> = R extends { content: { 'application/json': infer Body } } ? Body : never
type Answer<O> = O extends { responses: { 200: infer R } }
  ? Json<R>
  : O extends { responses: { 201: infer R } }
    ? Json<R>
    : never
type Item<List> = List extends { items: (infer One)[] } ? One : never

export type Me = Answer<paths['/api/me']['get']>
export type OrgMembership = Me['orgs'][number]
export type Member = Item<Answer<paths['/api/orgs/{org_id}/members']['get']>>
export type Invite = Item<Answer<paths['/api/orgs/{org_id}/invites']['get']>>
export type InvitePreview = Answer<paths['/api/invites/{token}']['get']>
export type InviteRole = Invite['role']

export type Session = Item<Answer<paths['/api/auth/sessions']['get']>>
export type Identity = Item<Answer<paths['/api/auth/identities']['get']>>
export type Passkey = Item<Answer<paths['/api/auth/passkeys']['get']>>

export type ApiKey = Item<Answer<paths['/api/keys']['get']>>
export type NewApiKey = Answer<paths['/api/keys']['post']>
export type Scope = paths['/api/keys']['post']['requestBody']['content']['application/json']['scopes'][number]
export type AuditEntry = Item<Answer<paths['/api/audit']['get']>>
export type AuditFilter = Omit<NonNullable<paths['/api/audit']['get']['parameters']['query']>, 'limit' | 'cursor'>
export type ChainCheck = Answer<paths['/api/audit/verify']['get']>

export type Usage = Answer<paths['/api/usage']['get']>
export type Tier = Usage['tier']
export type CapName = 'active_cap' | 'monthly_cap' | 'seats' | 'ai_daily' | 'ai_monthly_tokens' | 'storage_bytes'
export type Offers = Answer<paths['/api/billing/offers']['get']>
export type Invoice = Item<Answer<paths['/api/billing/invoices']['get']>>
export type SeatsPreview = Answer<paths['/api/billing/seats/preview']['post']>
export type Order = paths['/api/billing/checkout']['post']['requestBody']['content']['application/json']
export type Price = paths['/api/billing/checkout']['post']['requestBody']['content']['application/json']['price']

export type Proposal = Answer<paths['/api/proposals/{proposal_id}']['get']>
export type Section = Answer<paths['/api/sections/{section_id}']['get']>

export type Compliance = Answer<paths['/api/proposals/{proposal_id}/compliance']['get']>
export type Requirement = Compliance['requirements'][number]
export type RequirementState = Requirement['state']
export type Check = Answer<paths['/api/proposals/{proposal_id}/check']['get']>
export type CheckFinding = Check['findings'][number]

export type Plan = Answer<paths['/api/ai/plan']['post']>
export type Draft = Answer<paths['/api/ai/write']['post']>
export type Revision = Answer<paths['/api/ai/revise']['post']>
export type DiffBlock = Revision['diff']['blocks'][number]
export type Job = Answer<paths['/api/ai/jobs/{job_id}']['get']>

export type Export = Answer<paths['/api/exports/{export_id}']['get']>
export type ExportFormat = Export['format']

export type Upload = Answer<paths['/api/uploads/{upload_id}']['get']>
export type UploadText = Answer<paths['/api/uploads/{upload_id}/text']['get']>

export interface Page<T> {
  items: T[]
  next_cursor?: string | null
}
