import { useMutation, useQuery } from '@tanstack/react-query'
import { Monitor, Smartphone } from 'lucide-react'
import { useState } from 'react'

import { api, keys, queryClient, sessionsQuery, type Session } from '@/api'
import { Button } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { Badge, ErrorNotice, Loading } from '@/ui/feedback'
import { ago, date } from '@/ui/format'
import { Section } from '@/ui/page'
import { toast } from '@/ui/toast'

import { deviceOf, isPhone } from './user-agent'

export function Sessions() {
  const sessions = useQuery(sessionsQuery)
  const [endingAll, setEndingAll] = useState(false)
  const others = sessions.data?.filter((session) => !session.current).length ?? 0
  const ended = async (title: string) => {
    toast.show({ title })
    await queryClient.invalidateQueries({ queryKey: keys.sessions })
  }
  const end = useMutation({
    mutationFn: (session: Session) => api.endSession(session.id),
    onSuccess: () => ended('Signed out there'),
    onError: toast.error,
  })
  const endAll = useMutation({
    mutationFn: api.endOtherSessions,
    onSuccess: () => ended('Signed out everywhere else'),
    onError: toast.error,
    onSettled: () => setEndingAll(false),
  })
  return (
    <Section
      title="Where you are signed in"
      lead="Something you do not know? Sign it out and change your password."
      actions={
        others > 0 && (
          <Button size="sm" variant="danger" onClick={() => setEndingAll(true)}>
            Sign out everywhere else
          </Button>
        )
      }
    >
      {sessions.isPending && <Loading label="Loading sessions" rows={2} />}
      {sessions.error && <ErrorNotice error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {sessions.data && (
        <ul className="divide-y divide-line rounded-xl border border-line" aria-label="Sessions">
          {sessions.data.map((session) => (
            <Row
              key={session.id}
              session={session}
              busy={end.isPending && end.variables.id === session.id}
              onEnd={() => end.mutate(session)}
            />
          ))}
        </ul>
      )}
      <ConfirmDialog
        open={endingAll}
        onOpenChange={setEndingAll}
        title="Sign out everywhere else?"
        confirm="Sign out the others"
        busy={endAll.isPending}
        onConfirm={() => endAll.mutate()}
      >
        Every browser but this one has to sign in again. What was saved there is safe.
      </ConfirmDialog>
    </Section>
  )
}

function Row({ session, busy, onEnd }: { session: Session; busy: boolean; onEnd: () => void }) {
  const Icon = isPhone(session.user_agent) ? Smartphone : Monitor
  const device = deviceOf(session.user_agent)
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3">
      <Icon className="size-4.5 shrink-0 text-ink-3" aria-hidden />
      <div className="min-w-0 flex-1 basis-48">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {device} {session.current && <Badge tone="ok">This browser</Badge>}
        </p>
        <p className="text-[0.87rem] text-ink-3">
          {session.address && `${session.address} · `}
          {session.current ? 'in use now' : `seen ${ago(session.last_seen_at)}`} · since {date(session.created_at)}
        </p>
      </div>
      {!session.current && (
        <Button
          size="sm"
          busy={busy}
          aria-label={`Sign out ${device}, seen ${ago(session.last_seen_at)}`}
          onClick={onEnd}
        >
          Sign out
        </Button>
      )}
    </li>
  )
}
