import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { FileText, Plus, Search } from 'lucide-react'
import { useEffect, useState } from 'react'

import { proposalsQuery, type Proposal } from '@/api'
import { canWrite, useOrg } from '@/features/shell/org'
import { Button } from '@/ui/button'
import { Badge, EmptyState, ErrorNotice, Loading } from '@/ui/feedback'
import { ago, plural } from '@/ui/format'
import { Page } from '@/ui/page'

import { NewProposal } from './new'

const route = getRouteApi('/shell/proposals')

export default function Proposals() {
  const { q = '' } = route.useSearch()
  const org = useOrg()
  const list = useInfiniteQuery(proposalsQuery(q))
  const [creating, setCreating] = useState(false)
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  const mayCreate = canWrite(org)
  const empty = list.isSuccess && items.length === 0
  const newButton = mayCreate && (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> New proposal
    </Button>
  )

  return (
    <Page title="Proposals" lead={org.personal ? undefined : org.name} actions={!(empty && !q) && newButton}>
      {!(empty && !q) && <SearchBox initial={q} />}
      {list.isPending && <Loading label="Loading proposals" />}
      {list.error && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {empty &&
        (q ? (
          <EmptyState icon={<Search aria-hidden />} title="Nothing matches">
            No proposal has “{q}” in its title. Try fewer words.
          </EmptyState>
        ) : (
          <div className="card">
            <EmptyState icon={<FileText aria-hidden />} title="Start with a call" action={newButton}>
              {mayCreate
                ? 'Bring the call for proposals as a file or as text. Bidwright plans the sections it asks for, and you write them together.'
                : 'There is no proposal yet. Members of this organisation can start one.'}
            </EmptyState>
          </div>
        ))}
      {items.length > 0 && (
        <ul className="card divide-y divide-line overflow-hidden" aria-label="Proposals">
          {items.map((proposal) => (
            <Row key={proposal.id} proposal={proposal} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <div className="mt-4 text-center">
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
      {mayCreate && <NewProposal open={creating} onOpenChange={setCreating} />}
    </Page>
  )
}

function Row({ proposal }: { proposal: Proposal }) {
  const total = proposal.sections_total ?? 0
  const approved = proposal.sections_approved ?? 0
  return (
    <li>
      <Link
        to="/proposals/$proposalId"
        params={{ proposalId: proposal.id }}
        className="flex items-center gap-4 px-5 py-4 -outline-offset-2 hover:bg-sunken/60"
      >
        <div className="min-w-0 flex-1">
          <p className="line-clamp-2 text-[1.05rem] leading-snug font-semibold sm:line-clamp-1">{proposal.title}</p>
          <p className="mt-0.5 text-[0.9rem] text-ink-3">
            Changed {ago(proposal.updated_at)}
            {total > 0 && (
              <span className="sm:hidden">
                {' '}
                · {approved} of {total} approved
              </span>
            )}
          </p>
        </div>
        {proposal.state === 'archived' && <Badge>Archived</Badge>}
        {total > 0 ? (
          <div className="hidden w-48 shrink-0 sm:block">
            <p className="text-right text-[0.87rem] text-ink-2 tabular-nums">
              {approved} of {plural(total, 'section')} approved
            </p>
            <div className="mt-1.5 h-1.5 overflow-hidden rounded-full bg-sunken" aria-hidden>
              <div className="h-full rounded-full bg-accent" style={{ width: `${(approved / total) * 100}%` }} />
            </div>
          </div>
        ) : (
          <Badge>Not planned yet</Badge>
        )}
      </Link>
    </li>
  )
}

function SearchBox({ initial }: { initial: string }) {
  const navigate = useNavigate()
  const [value, setValue] = useState(initial)
  useEffect(() => {
    if (value.trim() === initial) return
    const timer = setTimeout(() => {
      void navigate({ to: '/proposals', search: { q: value.trim() || undefined }, replace: true })
    }, 250)
    return () => clearTimeout(timer)
  }, [value, initial, navigate])
  return (
    <div className="relative mb-4 max-w-sm">
      <Search className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3" aria-hidden />
      <input
        type="search"
        aria-label="Search proposals"
        placeholder="Search by title"
        value={value}
        onChange={(e) => setValue(e.target.value)}
        className="control pl-9!"
      />
    </div>
  )
}
