/** Each call the product makes, in the product's words. */

import { body, client } from './client'
import { followJob, pause, type JobWatch } from './jobs'
import { isApiError } from './problem'
import type {
  Check,
  Compliance,
  Provenance,
  Draft,
  Export,
  ExportFormat,
  ExportOptions,
  ExportTemplate,
  Invite,
  Invoice,
  InvitePreview,
  InviteRole,
  Me,
  Member,
  Offers,
  Order,
  OrgMembership,
  Page,
  Plan,
  Proposal,
  Requirement,
  Revision,
  SeatsPreview,
  Section,
  Upload,
  UploadText,
  Usage,
  Verdict,
} from './types'

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

/** Asks again, a few times and as often as the service says, while it has yet to hear what another one has said. */
async function whenConsistent<T>(call: () => Promise<T>): Promise<T> {
  for (let left = 8; ; left--) {
    try {
      return await call()
    } catch (error) {
      if (!isApiError(error) || !error.settling || left === 0) throw error
      await pause(Math.min(error.retryAfter ?? 1, 5) * 1000)
    }
  }
}

// --- account ---------------------------------------------------------------------------------------------------------

export const register = (input: { email: string; password: string; name: string }) =>
  body(client.POST('/api/auth/register', { body: input }))

export const verifyEmail = (token: string) => body(client.POST('/api/auth/email/verify', { body: { token } }))

export const signIn = (input: { email: string; password: string }) =>
  body(client.POST('/api/auth/login', { body: input }))

export const signOut = () => body(client.POST('/api/auth/logout'))

export const forgotPassword = (email: string) => body(client.POST('/api/auth/password/forgot', { body: { email } }))

export const resetPassword = (input: { token: string; password: string }) =>
  body(client.POST('/api/auth/password/reset', { body: input }))

export const getMe = (): Promise<Me> => body(client.GET('/api/me'))

export * from './account'

// --- organisations ---------------------------------------------------------------------------------------------------

export const createOrg = (name: string) => body(client.POST('/api/orgs', { body: { name } }))

export const listMembers = (orgId: string): Promise<Page<Member>> =>
  body(client.GET('/api/orgs/{org_id}/members', { params: { path: { org_id: orgId } } }))

export const listInvites = (orgId: string): Promise<Page<Invite>> =>
  body(client.GET('/api/orgs/{org_id}/invites', { params: { path: { org_id: orgId } } }))

export const invite = (orgId: string, input: { email: string; role: InviteRole }) =>
  body(client.POST('/api/orgs/{org_id}/invites', { params: { path: { org_id: orgId } }, body: input }))

export const getInvite = (token: string): Promise<InvitePreview> =>
  body(client.GET('/api/invites/{token}', { params: { path: { token } } }))

export const acceptInvite = (token: string): Promise<OrgMembership> =>
  body(client.POST('/api/invites/accept', { body: { token } }))

export * from './administration'

// --- billing ---------------------------------------------------------------------------------------------------------

export const getUsage = (): Promise<Usage> => body(client.GET('/api/usage'))

export const getOffers = (): Promise<Offers> => body(client.GET('/api/billing/offers'))

export const checkout = (order: Order) => body(client.POST('/api/billing/checkout', { body: order }))

export const billingPortal = () => body(client.POST('/api/billing/portal'))

export const cancelPlan = (immediate: boolean) => body(client.POST('/api/billing/cancel', { body: { immediate } }))

export const resumePlan = () => body(client.POST('/api/billing/resume'))

export const previewSeats = (seats: number): Promise<SeatsPreview> =>
  body(client.POST('/api/billing/seats/preview', { body: { seats } }))

export const setSeats = (change: { seats: number; prorated_at: string | null }) =>
  body(client.PATCH('/api/billing/seats', { body: change }))

export const listInvoices = (): Promise<Page<Invoice>> => body(client.GET('/api/billing/invoices'))

// --- proposals -------------------------------------------------------------------------------------------------------

export const listProposals = (query: { q?: string; cursor?: string }): Promise<Page<Proposal>> =>
  body(client.GET('/api/proposals', { params: { query } }))

export const createProposal = (input: {
  title: string
  call_text?: string
  call_upload_id?: string
}): Promise<Proposal> => whenConsistent(() => body(client.POST('/api/proposals', { body: input })))

export const getProposal = (id: string): Promise<Proposal> =>
  body(client.GET('/api/proposals/{proposal_id}', { params: { path: { proposal_id: id } } }))

export const renameProposal = (id: string, title: string): Promise<Proposal> =>
  body(client.PATCH('/api/proposals/{proposal_id}', { params: { path: { proposal_id: id } }, body: { title } }))

/** The call of a proposal that has none yet. */
export const giveCall = (id: string, call: { call_text?: string; call_upload_id?: string }): Promise<Proposal> =>
  whenConsistent(() =>
    body(client.PATCH('/api/proposals/{proposal_id}', { params: { path: { proposal_id: id } }, body: call })),
  )

export const deleteProposal = (id: string) =>
  body(client.DELETE('/api/proposals/{proposal_id}', { params: { path: { proposal_id: id } } }))

export const listSections = (proposalId: string): Promise<Page<Section>> =>
  body(client.GET('/api/proposals/{proposal_id}/sections', { params: { path: { proposal_id: proposalId } } }))

export const addSection = (proposalId: string, title: string): Promise<Section> =>
  body(
    client.POST('/api/proposals/{proposal_id}/sections', {
      params: { path: { proposal_id: proposalId } },
      body: { title },
    }),
  )

/** Puts the sections in this order, unless the outline changed since that revision of the proposal. */
export const orderSections = (proposalId: string, revision: number, sectionIds: string[]): Promise<Page<Section>> =>
  body(
    client.PUT('/api/proposals/{proposal_id}/sections/order', {
      params: { path: { proposal_id: proposalId } },
      headers: { 'If-Match': `"${revision}"` },
      body: { section_ids: sectionIds },
    }),
  )

export const listRemovedSections = (proposalId: string): Promise<Page<Section>> =>
  body(client.GET('/api/proposals/{proposal_id}/sections/removed', { params: { path: { proposal_id: proposalId } } }))

export const removeSection = (id: string) =>
  body(client.DELETE('/api/sections/{section_id}', { params: { path: { section_id: id } } }))

export const restoreSection = (id: string): Promise<Section> =>
  body(client.POST('/api/sections/{section_id}/restore', { params: { path: { section_id: id } } }))

export const getProvenance = (id: string, revision: number): Promise<Provenance> =>
  body(
    client.GET('/api/sections/{section_id}/provenance', { params: { path: { section_id: id }, query: { revision } } }),
  )

export const getSection = (id: string): Promise<Section> =>
  body(client.GET('/api/sections/{section_id}', { params: { path: { section_id: id } } }))

export const saveSection = (
  id: string,
  revision: number,
  change: { text?: string; title?: string },
): Promise<Section> =>
  body(
    client.PATCH('/api/sections/{section_id}', {
      params: { path: { section_id: id } },
      headers: { 'If-Match': `"${revision}"` },
      body: change,
      keepalive: (change.text?.length ?? 0) < 15_000, // a save begun while the page closes still arrives; browsers cap it at 64 KiB
    }),
  )

export const approveSection = (id: string, revision: number): Promise<Section> =>
  body(
    client.POST('/api/sections/{section_id}/approve', {
      params: { path: { section_id: id } },
      headers: { 'If-Match': `"${revision}"` },
    }),
  )

export const withdrawApproval = (id: string): Promise<Section> =>
  body(client.DELETE('/api/sections/{section_id}/approve', { params: { path: { section_id: id } } }))

/** The one path also answers CSV, so that the types leave open which of the two comes; without a format it is JSON. */
export const getCompliance = (proposalId: string): Promise<Compliance> =>
  body(
    client.GET('/api/proposals/{proposal_id}/compliance', { params: { path: { proposal_id: proposalId } } }),
  ) as Promise<Compliance>

/** Where the matrix is as a file: for a spreadsheet, or for Word. */
export const complianceFile = (proposalId: string, format: 'csv' | 'docx'): string =>
  `/api/proposals/${proposalId}/compliance?format=${format}`

export const mapRequirement = (proposalId: string, requirementId: string, sectionIds: string[]): Promise<Requirement> =>
  body(
    client.PUT('/api/proposals/{proposal_id}/requirements/{requirement_id}', {
      params: { path: { proposal_id: proposalId, requirement_id: requirementId } },
      body: { section_ids: sectionIds },
    }),
  )

export const checkProposal = (proposalId: string): Promise<Check> =>
  body(client.GET('/api/proposals/{proposal_id}/check', { params: { path: { proposal_id: proposalId } } }))

export * from './answers'

// --- AI: each answers at once, or names a job to follow --------------------------------------------------------------

const IN_BACKGROUND = { Prefer: 'respond-async' }

export interface GenerationWatch extends JobWatch {
  onJob?: (jobId: string) => void
}

type Answer<T> = T | { job_id: string }

async function finish<T>(answer: Answer<T>, watch: GenerationWatch): Promise<T> {
  if (!answer || typeof answer !== 'object' || !('job_id' in answer)) return answer as T
  watch.onJob?.(answer.job_id)
  const job = await followJob(answer.job_id, watch)
  return job.result as T
}

export async function plan(proposalId: string, watch: GenerationWatch = {}): Promise<Plan> {
  const answer = await whenConsistent(() =>
    body(client.POST('/api/ai/plan', { body: { proposal_id: proposalId }, headers: IN_BACKGROUND })),
  )
  return finish(answer as Answer<Plan>, watch)
}

export async function draft(
  input: { section_id: string; answers: Record<string, string>; upload_ids?: string[] },
  watch: GenerationWatch = {},
): Promise<Draft> {
  const answer = await whenConsistent(() => body(client.POST('/api/ai/write', { body: input, headers: IN_BACKGROUND })))
  return finish(answer as Answer<Draft>, watch)
}

export async function revise(
  input: { section_id: string; instruction: string },
  watch: GenerationWatch = {},
): Promise<Revision> {
  const answer = await whenConsistent(() =>
    body(client.POST('/api/ai/revise', { body: input, headers: IN_BACKGROUND })),
  )
  return finish(answer as Answer<Revision>, watch)
}

export const cancelJob = (id: string) =>
  body(client.POST('/api/ai/jobs/{job_id}/cancel', { params: { path: { job_id: id } } }))

// --- exports ---------------------------------------------------------------------------------------------------------

export const listExports = (proposalId: string): Promise<Page<Export>> =>
  body(client.GET('/api/exports', { params: { query: { proposal_id: proposalId } } }))

/** Asks for an export of exactly the revision that was seen. */
export async function createExport(
  input: { proposal_id: string; format: ExportFormat; proposal_revision: number } & ExportOptions,
): Promise<Export> {
  return whenConsistent(() => body(client.POST('/api/exports', { body: input })))
}

export const cancelExport = (id: string): Promise<Export> =>
  body(client.POST('/api/exports/{export_id}/cancel', { params: { path: { export_id: id } } }))

/** The organisation's own Word template; null while it uses ours. */
export const getExportTemplate = (): Promise<ExportTemplate | null> => body(client.GET('/api/exports/template'))

export const putExportTemplate = (file: File): Promise<ExportTemplate> =>
  body(
    client.PUT('/api/exports/template', {
      params: { query: { name: file.name.slice(0, 100) } },
      // The file itself is the body; the document says "binary", which the types call a string.
      body: file as unknown as string,
      bodySerializer: (sent: unknown) => sent as Blob,
      headers: { 'Content-Type': DOCX },
    }),
  )

export const deleteExportTemplate = () => body(client.DELETE('/api/exports/template'))

/** Which export of the organisation a file is: unchanged, changed since, or none. */
export const verifyExport = (file: File): Promise<Verdict> =>
  body(
    client.POST('/api/exports/verify', {
      body: { file: '' },
      bodySerializer: () => {
        const form = new FormData()
        form.append('file', file, file.name)
        return form
      },
    }),
  )

// --- uploads ---------------------------------------------------------------------------------------------------------

export const listUploads = (): Promise<Page<Upload>> => body(client.GET('/api/uploads'))

export const getUpload = (id: string): Promise<Upload> =>
  body(client.GET('/api/uploads/{upload_id}', { params: { path: { upload_id: id } } }))

export const getUploadText = (id: string): Promise<UploadText> =>
  body(client.GET('/api/uploads/{upload_id}/text', { params: { path: { upload_id: id } } }))

export const deleteUpload = (id: string) =>
  body(client.DELETE('/api/uploads/{upload_id}', { params: { path: { upload_id: id } } }))
