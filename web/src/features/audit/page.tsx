import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { Download, ScrollText } from 'lucide-react'
import { useState } from 'react'

import { api, auditQuery, download, membersQuery, type AuditEntry, type AuditFilter, type Member } from '@/api'
import { canManage, orgLabel, useOrg } from '@/features/shell/org'
import { Button } from '@/ui/button'
import { Badge, EmptyState, ErrorNotice, Loading } from '@/ui/feedback'
import { SelectField, TextField } from '@/ui/field'
import { ago } from '@/ui/format'
import { Page } from '@/ui/page'
import { toast } from '@/ui/toast'

import { useChainCheck } from './chain'
import { ACTION_CHOICES, actionWords, dayEnd, dayStart, details, exactly } from './words'

const LEAD = 'Who changed what, and when. Entries can be added, never altered.'

export default function Audit() {
  const org = useOrg()
  if (canManage(org)) return <Entries orgId={org.id} />
  return (
    <Page title="Audit" lead={LEAD}>
      <div className="card">
        <EmptyState icon={<ScrollText aria-hidden />} title="Admins read the audit">
          It tells what everyone in {orgLabel(org)} changed, so only its owner and admins see it. Ask one of them if you
          need to know something; you find them under Members.
        </EmptyState>
      </div>
    </Page>
  )
}

function Entries({ orgId }: { orgId: string }) {
  const [filter, setFilter] = useState<AuditFilter>({})
  const list = useInfiniteQuery(auditQuery(filter))
  const members = useQuery(membersQuery(orgId)).data ?? []
  const chain = useChainCheck()
  const save = useMutation({
    mutationFn: (format: 'csv' | 'jsonl') => download(api.auditExport(format), `audit.${format}`),
    onError: toast.error,
  })
  const items = list.data?.pages.flatMap((page) => page.items)
  const filtered = Object.values(filter).some(Boolean)
  return (
    <Page
      title="Audit"
      lead={LEAD}
      actions={
        <>
          {chain.button}
          {(['csv', 'jsonl'] as const).map((format) => (
            <Button
              key={format}
              busy={save.isPending && save.variables === format}
              aria-label={`Export ${format.toUpperCase()}, everything`}
              onClick={() => save.mutate(format)}
            >
              <Download aria-hidden /> Export {format.toUpperCase()}
            </Button>
          ))}
        </>
      }
    >
      {chain.shown && <div className="mb-4">{chain.result}</div>}
      <Filters members={members} onChange={(change) => setFilter((before) => ({ ...before, ...change }))} />
      {list.isPending && <Loading label="Loading the audit" />}
      {list.error && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {items?.length === 0 && (
        <div className="card">
          <EmptyState
            icon={<ScrollText aria-hidden />}
            title={filtered ? 'Nothing matches' : 'Nothing has happened yet'}
          >
            {filtered
              ? 'Choose another action, person or time.'
              : 'Changes of members, roles, keys and sign-ins show here.'}
          </EmptyState>
        </div>
      )}
      {items && items.length > 0 && (
        <ol className="card divide-y divide-line" aria-label="Audit entries" aria-busy={list.isPlaceholderData}>
          {items.map((entry) => (
            <Row key={entry.id} entry={entry} members={members} />
          ))}
        </ol>
      )}
      {list.hasNextPage && (
        <div className="mt-4 text-center">
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </Page>
  )
}

function Filters({ members, onChange }: { members: Member[]; onChange: (change: AuditFilter) => void }) {
  return (
    <form
      role="search"
      aria-label="Filter the audit"
      className="mb-5 grid grid-cols-2 gap-3 lg:grid-cols-4"
      onSubmit={(e) => e.preventDefault()}
    >
      <SelectField label="Action" onChange={(e) => onChange({ action: e.target.value || undefined })}>
        <option value="">Every action</option>
        {ACTION_CHOICES.map(([action, words]) => (
          <option key={action} value={action}>
            {words}
          </option>
        ))}
      </SelectField>
      <SelectField label="Person" onChange={(e) => onChange({ actor_id: e.target.value || undefined })}>
        <option value="">Everyone</option>
        {members.map((member) => (
          <option key={member.user_id} value={member.user_id}>
            {member.name || member.email}
          </option>
        ))}
      </SelectField>
      <TextField label="From" type="date" onChange={(e) => onChange({ since: dayStart(e.target.value) })} />
      <TextField label="To" type="date" onChange={(e) => onChange({ until: dayEnd(e.target.value) })} />
    </form>
  )
}

function Row({ entry, members }: { entry: AuditEntry; members: Member[] }) {
  const nameOf = (id: string | null | undefined) => members.find((member) => member.user_id === id)?.name
  const who = nameOf(entry.actor_id) ?? (entry.actor_id ? 'A former member' : 'Bidwright')
  const target = nameOf(entry.target)
  const pairs = details(entry.detail)
  return (
    <li className="px-5 py-3.5">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
        <p className="min-w-0 font-medium">{actionWords(entry.action)}</p>
        {entry.actor !== 'session' && entry.actor !== 'user' && <Badge>{entry.actor}</Badge>}
        <time dateTime={entry.at} title={exactly(entry.at)} className="ml-auto text-[0.87rem] text-ink-3">
          {ago(entry.at)}
        </time>
      </div>
      <p className="text-[0.93rem] text-ink-2">
        {who}
        {target && target !== who && <> · about {target}</>}
      </p>
      {pairs.length > 0 && (
        <dl className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 text-[0.87rem] text-ink-3">
          {pairs.map(([name, value]) => (
            <div key={name} className="flex min-w-0 gap-1.5">
              <dt>{name}:</dt>
              <dd className="min-w-0 break-words">{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  )
}
