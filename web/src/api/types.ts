/**
 * The API's words, under the names that the product uses. Only this folder knows the generated schema, and takes its
 * types from the calls, so that a schema may be renamed there without a change here.
 */

import type { paths } from './generated/schema'

type Json<R> = R extends { content: { 'application/json': infer Body } } ? Body : never
type Reply<O> = O extends { responses: { 200: infer R } }
  ? Json<R>
  : O extends { responses: { 201: infer R } }
    ? Json<R>
    : never
type Item<List> = List extends { items: (infer One)[] } ? One : never

export type Me = Reply<paths['/api/me']['get']>
export type OrgMembership = Me['orgs'][number]
export type Member = Item<Reply<paths['/api/orgs/{org_id}/members']['get']>>
export type Invite = Item<Reply<paths['/api/orgs/{org_id}/invites']['get']>>
export type InvitePreview = Reply<paths['/api/invites/{token}']['get']>
export type InviteRole = Invite['role']

export type Session = Item<Reply<paths['/api/auth/sessions']['get']>>
export type Identity = Item<Reply<paths['/api/auth/identities']['get']>>
export type Passkey = Item<Reply<paths['/api/auth/passkeys']['get']>>

export type ApiKey = Item<Reply<paths['/api/keys']['get']>>
export type NewApiKey = Reply<paths['/api/keys']['post']>
export type Scope = paths['/api/keys']['post']['requestBody']['content']['application/json']['scopes'][number]
export type AuditEntry = Item<Reply<paths['/api/audit']['get']>>
export type AuditFilter = Omit<NonNullable<paths['/api/audit']['get']['parameters']['query']>, 'limit' | 'cursor'>
export type ChainCheck = Reply<paths['/api/audit/verify']['get']>

export type Usage = Reply<paths['/api/usage']['get']>
export type Tier = Usage['tier']
export type CapName = 'active_cap' | 'monthly_cap' | 'seats' | 'ai_daily' | 'ai_monthly_tokens' | 'storage_bytes'
export type Offers = Reply<paths['/api/billing/offers']['get']>
export type Invoice = Item<Reply<paths['/api/billing/invoices']['get']>>
export type SeatsPreview = Reply<paths['/api/billing/seats/preview']['post']>
export type Order = paths['/api/billing/checkout']['post']['requestBody']['content']['application/json']
export type Price = paths['/api/billing/checkout']['post']['requestBody']['content']['application/json']['price']

export type Proposal = Reply<paths['/api/proposals/{proposal_id}']['get']>
export type Section = Reply<paths['/api/sections/{section_id}']['get']>

export type Provenance = Reply<paths['/api/sections/{section_id}/provenance']['get']>
export type ParagraphOrigin = Provenance['paragraphs'][number]

export type Compliance = Reply<paths['/api/proposals/{proposal_id}/compliance']['get']>
export type Requirement = Compliance['requirements'][number]
export type RequirementState = Requirement['state']
export type Check = Reply<paths['/api/proposals/{proposal_id}/check']['get']>
export type CheckFinding = Check['findings'][number]

export type Answer = Reply<paths['/api/answers/{answer_id}']['get']>
export type NewAnswer = paths['/api/answers']['post']['requestBody']['content']['application/json']
export type AnswerChange = paths['/api/answers/{answer_id}']['patch']['requestBody']['content']['application/json']
export type AnswerFilter = { q?: string; view?: 'due' | 'archived' }
export type AnswerSuggestion = Item<Reply<paths['/api/answers/suggestions']['get']>>

export type Plan = Reply<paths['/api/ai/plan']['post']>
export type Draft = Reply<paths['/api/ai/write']['post']>
export type Revision = Reply<paths['/api/ai/revise']['post']>
export type DiffBlock = Revision['diff']['blocks'][number]
export type Job = Reply<paths['/api/ai/jobs/{job_id}']['get']>

export type Export = Reply<paths['/api/exports/{export_id}']['get']>
export type ExportFormat = Export['format']
type ExportRequest = paths['/api/exports']['post']['requestBody']['content']['application/json']
export type ExportLayout = NonNullable<ExportRequest['layout']>
export type ExportOptions = Partial<Pick<ExportRequest, 'layout' | 'ai_disclosure' | 'template'>>
export type ExportTemplate = Reply<paths['/api/exports/template']['put']>
export type Verdict = Reply<paths['/api/exports/verify']['post']>

export type Upload = Reply<paths['/api/uploads/{upload_id}']['get']>
export type UploadText = Reply<paths['/api/uploads/{upload_id}/text']['get']>

export interface Page<T> {
  items: T[]
  next_cursor?: string | null
}
