/** What the admins of an organisation do: its settings, members, API keys and audit. */

import { body, client } from './client'
import type { ApiKey, AuditEntry, AuditFilter, ChainCheck, InviteRole, NewApiKey, Page, Scope } from './types'

const inOrg = (orgId: string) => ({ params: { path: { org_id: orgId } } })
const inOrgOf = (orgId: string, userId: string) => ({ params: { path: { org_id: orgId, user_id: userId } } })

export const renameOrg = (orgId: string, name: string) =>
  body(client.PATCH('/api/orgs/{org_id}', { ...inOrg(orgId), body: { name } }))

export const deleteOrg = (orgId: string) => body(client.DELETE('/api/orgs/{org_id}', inOrg(orgId)))

export const transferOrg = (orgId: string, userId: string) =>
  body(client.POST('/api/orgs/{org_id}/transfer', { ...inOrg(orgId), body: { user_id: userId } }))

export const changeRole = (orgId: string, userId: string, role: InviteRole) =>
  body(client.PATCH('/api/orgs/{org_id}/members/{user_id}', { ...inOrgOf(orgId, userId), body: { role } }))

/** Removes a member; oneself: leaves. */
export const removeMember = (orgId: string, userId: string) =>
  body(client.DELETE('/api/orgs/{org_id}/members/{user_id}', inOrgOf(orgId, userId)))

export const revokeInvite = (orgId: string, inviteId: string) =>
  body(
    client.DELETE('/api/orgs/{org_id}/invites/{invite_id}', {
      params: { path: { org_id: orgId, invite_id: inviteId } },
    }),
  )

// --- API keys --------------------------------------------------------------------------------------------------------

export const listApiKeys = (cursor?: string): Promise<Page<ApiKey>> =>
  body(client.GET('/api/keys', { params: { query: { cursor } } }))

export const createApiKey = (input: { name: string; scopes: Scope[]; expires_at: string | null }): Promise<NewApiKey> =>
  body(client.POST('/api/keys', { body: input }))

export const revokeApiKey = (id: string) =>
  body(client.DELETE('/api/keys/{key_id}', { params: { path: { key_id: id } } }))

// --- audit -----------------------------------------------------------------------------------------------------------

export const listAudit = (query: AuditFilter & { cursor?: string }): Promise<Page<AuditEntry>> =>
  body(client.GET('/api/audit', { params: { query } }))

export const auditExport = (format: 'csv' | 'jsonl'): string => `/api/audit/export?format=${format}`

export const checkAudit = (): Promise<ChainCheck> => body(client.GET('/api/audit/verify'))
