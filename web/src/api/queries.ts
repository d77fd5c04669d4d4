/** What is read, and under which key it is cached. Everything of an organisation lies under its id. */

import { QueryClient, queryOptions, infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query'

import * as api from './endpoints'
import { currentOrg } from './org'
import { isApiError } from './problem'
import type { AnswerFilter, AuditFilter, Export, Upload } from './types'

/** How long until a query of a part that is down asks again. */
function healing(query: { state: { error: unknown } }): number | false {
  return isApiError(query.state.error, 'unavailable', 'network') ? 8_000 : false
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal is an answer; only a part that does not answer is asked again.
      retry: (count, error) => count < 2 && isApiError(error, 'unavailable', 'network'),
      retryDelay: (count) => 600 * 2 ** count,
      // While a part is down its data is asked for again, so that the page heals by itself.
      refetchInterval: healing,
    },
  },
})

const scope = () => ['org', currentOrg.get() ?? 'personal'] as const

export const keys = {
  me: ['me'] as const,
  usage: () => [...scope(), 'usage'] as const,
  invoices: () => [...scope(), 'usage', 'invoices'] as const,
  offers: ['offers'] as const,
  proposals: () => [...scope(), 'proposals'] as const,
  proposal: (id: string) => [...scope(), 'proposal', id] as const,
  sections: (proposalId: string) => [...scope(), 'sections', proposalId] as const,
  compliance: (proposalId: string) => [...scope(), 'compliance', proposalId] as const,
  removedSections: (proposalId: string) => [...scope(), 'sections', proposalId, 'removed'] as const,
  answers: () => [...scope(), 'answers'] as const,
  provenance: (sectionId: string) => [...scope(), 'provenance', sectionId] as const,
  exportTemplate: () => [...scope(), 'export-template'] as const,
  exports: (proposalId: string) => [...scope(), 'exports', proposalId] as const,
  uploads: () => [...scope(), 'uploads'] as const,
  members: () => [...scope(), 'members'] as const,
  invites: () => [...scope(), 'invites'] as const,
  apiKeys: () => [...scope(), 'api-keys'] as const,
  audit: () => [...scope(), 'audit'] as const,
  passkeys: ['me', 'passkeys'] as const,
  identities: ['me', 'identities'] as const,
  sessions: ['me', 'sessions'] as const,
  providers: ['providers'] as const,
}

export const meQuery = queryOptions({ queryKey: keys.me, queryFn: api.getMe, staleTime: 30_000 })

export const providersQuery = queryOptions({
  queryKey: keys.providers,
  queryFn: api.listProviders,
  staleTime: Infinity,
})

export const passkeysQuery = queryOptions({
  queryKey: keys.passkeys,
  queryFn: async () => (await api.listPasskeys()).items,
})

export const identitiesQuery = queryOptions({
  queryKey: keys.identities,
  queryFn: async () => (await api.listIdentities()).items,
})

export const sessionsQuery = queryOptions({
  queryKey: keys.sessions,
  queryFn: async () => (await api.listSessions()).items,
})

export const apiKeysQuery = () =>
  infiniteQueryOptions({
    queryKey: keys.apiKeys(),
    queryFn: ({ pageParam }) => api.listApiKeys(pageParam ?? undefined),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  })

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.audit(), filter],
    queryFn: ({ pageParam }) => api.listAudit({ ...filter, cursor: pageParam ?? undefined }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  })

export const usageQuery = () => queryOptions({ queryKey: keys.usage(), queryFn: api.getUsage })

/** Under the key of the usage, so that whatever makes that stale makes these stale as well. */
export const invoicesQuery = () =>
  queryOptions({ queryKey: keys.invoices(), queryFn: async () => (await api.listInvoices()).items })

export const offersQuery = queryOptions({ queryKey: keys.offers, queryFn: api.getOffers, staleTime: 300_000 })

export const proposalsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.proposals(), q],
    queryFn: ({ pageParam }) => api.listProposals({ q: q || undefined, cursor: pageParam ?? undefined }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  })

export const proposalQuery = (id: string) =>
  queryOptions({ queryKey: keys.proposal(id), queryFn: () => api.getProposal(id) })

export const sectionsQuery = (proposalId: string) =>
  queryOptions({
    queryKey: keys.sections(proposalId),
    queryFn: async () => (await api.listSections(proposalId)).items.toSorted((a, b) => a.position - b.position),
  })

/** Under the key of the sections: what changes those may have changed these. */
export const removedSectionsQuery = (proposalId: string) =>
  queryOptions({
    queryKey: keys.removedSections(proposalId),
    queryFn: async () => (await api.listRemovedSections(proposalId)).items,
  })

export const answersQuery = ({ q, view }: AnswerFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.answers(), 'list', q ?? '', view ?? ''],
    queryFn: ({ pageParam }) =>
      api.listAnswers({
        q: q || undefined,
        state: view === 'archived' ? 'archived' : 'active',
        due: view === 'due' || undefined,
        limit: 20,
        cursor: pageParam ?? undefined,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  })

export const answerQuery = (id: string) =>
  queryOptions({ queryKey: [...keys.answers(), 'one', id], queryFn: () => api.getAnswer(id) })

/** What the library has for the questions of a section. */
export const answersForQuery = (sectionId: string) =>
  queryOptions({
    queryKey: [...keys.answers(), 'for', sectionId],
    queryFn: async () => (await api.suggestAnswers(sectionId)).items,
  })

/** It follows every text and approval, so it is asked for anew whenever it is shown. */
export const complianceQuery = (proposalId: string) =>
  queryOptions({
    queryKey: [...keys.compliance(proposalId), 'matrix'],
    queryFn: () => api.getCompliance(proposalId),
    staleTime: 0,
  })

/** A revision's never changes. */
export const provenanceQuery = (sectionId: string, revision: number) =>
  queryOptions({
    queryKey: [...keys.provenance(sectionId), revision],
    queryFn: () => api.getProvenance(sectionId, revision),
    staleTime: Infinity,
  })

export const checkQuery = (proposalId: string) =>
  queryOptions({
    queryKey: [...keys.compliance(proposalId), 'check'],
    queryFn: () => api.checkProposal(proposalId),
    staleTime: 0,
  })

export const exportsQuery = (proposalId: string) =>
  queryOptions({
    queryKey: keys.exports(proposalId),
    queryFn: async () => (await api.listExports(proposalId)).items,
    refetchInterval: (query) => (query.state.data?.some(isRendering) ? 1_500 : healing(query)),
  })

/** The organisation's own Word template, or null. */
export const exportTemplateQuery = () =>
  queryOptions({ queryKey: keys.exportTemplate(), queryFn: api.getExportTemplate, staleTime: 60_000 })

export const uploadsQuery = () =>
  queryOptions({
    queryKey: keys.uploads(),
    queryFn: async () => (await api.listUploads()).items,
    refetchInterval: (query) => (query.state.data?.some(isProcessing) ? 1_500 : healing(query)),
  })

export const uploadQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.uploads(), id],
    queryFn: () => api.getUpload(id),
    refetchInterval: (query) => (query.state.data && isProcessing(query.state.data) ? 1_000 : healing(query)),
  })

export const uploadTextQuery = (id: string) =>
  queryOptions({ queryKey: [...keys.uploads(), id, 'text'], queryFn: () => api.getUploadText(id), staleTime: Infinity })

export const membersQuery = (orgId: string) =>
  queryOptions({ queryKey: keys.members(), queryFn: async () => (await api.listMembers(orgId)).items })

export const invitesQuery = (orgId: string) =>
  queryOptions({ queryKey: keys.invites(), queryFn: async () => (await api.listInvites(orgId)).items })

export const isRendering = (e: Export): boolean => e.status !== 'done' && e.status !== 'failed'
export const isProcessing = (u: Upload): boolean => u.status === 'processing'
