import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'

import { api, apiKeysQuery, keys, membersQuery, queryClient, type ApiKey, type NewApiKey } from '@/api'
import { canManage, orgLabel, useOrg } from '@/features/shell/org'
import { Button } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { Badge, EmptyState, ErrorNotice, Loading } from '@/ui/feedback'
import { ago, date } from '@/ui/format'
import { Page } from '@/ui/page'
import { toast } from '@/ui/toast'

import { CreateKey } from './create'
import { isOver } from './scopes'
import { ShowKey } from './show'

const LEAD =
  'With a key, a program of yours works in this organisation through the API, as you and within what you allow.'

export default function Keys() {
  const org = useOrg()
  if (canManage(org)) return <Manage orgId={org.id} />
  return (
    <Page title="API keys" lead={LEAD}>
      <div className="card">
        <EmptyState icon={<KeyRound aria-hidden />} title="Admins look after the keys">
          API keys open the data of {orgLabel(org)} to programs, so its owner and admins make and revoke them. Ask one
          of them if you need a key; you find them under Members.
        </EmptyState>
      </div>
    </Page>
  )
}

function Manage({ orgId }: { orgId: string }) {
  const list = useInfiniteQuery(apiKeysQuery())
  const members = useQuery(membersQuery(orgId)).data
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState<NewApiKey | null>(null)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const revoke = useMutation({
    mutationFn: (key: ApiKey) => api.revokeApiKey(key.id),
    onSuccess: async (_, { name }) => {
      toast.show({ title: 'Key revoked', description: `${name} is refused from now on.` })
      await queryClient.invalidateQueries({ queryKey: keys.apiKeys() })
    },
    onError: toast.error,
    onSettled: () => setRevoking(null),
  })
  const items = list.data?.pages.flatMap((page) => page.items)
  const create = (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> New key
    </Button>
  )
  return (
    <Page title="API keys" lead={LEAD} actions={items && items.length > 0 ? create : undefined}>
      {list.isPending && <Loading label="Loading keys" />}
      {list.error && !items && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {items?.length === 0 && (
        <div className="card">
          <EmptyState icon={<KeyRound aria-hidden />} title="No keys yet" action={create}>
            Make one for each program, with no more rights than it needs. The API is described under{' '}
            <a href="/api/docs" className="font-medium text-accent-ink underline underline-offset-3">
              API documentation
            </a>
            .
          </EmptyState>
        </div>
      )}
      {items && items.length > 0 && (
        <ul className="card divide-y divide-line" aria-label="API keys">
          {items.map((key) => (
            <Row
              key={key.id}
              apiKey={key}
              owner={members?.find((member) => member.user_id === key.user_id)?.name}
              onRevoke={() => setRevoking(key)}
            />
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
      <CreateKey open={creating} onOpenChange={setCreating} onMade={setMade} />
      <ShowKey made={made} onClose={() => setMade(null)} />
      <ConfirmDialog
        open={revoking !== null}
        onOpenChange={(open) => !open && setRevoking(null)}
        title={`Revoke ${revoking?.name ?? 'the key'}?`}
        confirm="Revoke key"
        busy={revoke.isPending}
        onConfirm={() => revoking && revoke.mutate(revoking)}
      >
        Programs that use it are refused at once. A revoked key cannot be brought back.
      </ConfirmDialog>
    </Page>
  )
}

function Row({ apiKey: key, owner, onRevoke }: { apiKey: ApiKey; owner?: string; onRevoke: () => void }) {
  const over = isOver(key.expires_at)
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-3 px-5 py-4">
      <div className="min-w-0 flex-1 basis-64">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="max-w-full truncate font-semibold">{key.name}</span>
          <code className="text-[0.87rem] text-ink-3">{key.prefix}…</code>
          {over && <Badge tone="warn">Expired</Badge>}
        </p>
        <p className="mt-0.5 text-[0.87rem] text-ink-3">
          {key.last_used_at ? `Used ${ago(key.last_used_at)}` : 'Never used'} · made {date(key.created_at)}
          {owner && ` by ${owner}`} ·{' '}
          {key.expires_at ? `${over ? 'ended' : 'ends'} ${date(key.expires_at)}` : 'does not expire'}
        </p>
        <p className="mt-2 flex flex-wrap gap-1.5">
          {key.scopes.map((scope) => (
            <Badge key={scope}>{scope}</Badge>
          ))}
        </p>
      </div>
      <Button size="sm" variant="danger" aria-label={`Revoke ${key.name}`} onClick={onRevoke}>
        Revoke
      </Button>
    </li>
  )
}
