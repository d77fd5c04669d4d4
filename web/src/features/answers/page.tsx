import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Archive, ArchiveRestore, CalendarClock, LibraryBig, Plus, Search, Trash2 } from 'lucide-react'
import { useEffect, useState } from 'react'

import { answerQuery, answersQuery, api, keys, membersQuery, meQuery, queryClient, type Answer } from '@/api'
import { canWrite, useOrg } from '@/features/shell/org'
import { Button, IconButton } from '@/ui/button'
import { ConfirmDialog } from '@/ui/dialog'
import { Badge, EmptyState, ErrorNotice, Loading } from '@/ui/feedback'
import { Page } from '@/ui/page'
import { toast } from '@/ui/toast'

import { AnswerDialog, type Beginning } from './dialog'
import { opening, ownerName, reviewInWords, sourceInWords, usesInWords } from './words'

const route = getRouteApi('/shell/answers')
const NEW: Beginning = { question: '', answer: '' }

/** What the organisation has approved once and can say again. */
export default function Answers() {
  const { q = '', view, answer: shownId } = route.useSearch()
  const navigate = route.useNavigate()
  const org = useOrg()
  const mayWrite = canWrite(org)
  const list = useInfiniteQuery(answersQuery({ q, view }))
  const shown = useQuery({ ...answerQuery(shownId ?? ''), enabled: shownId !== undefined })
  const [creating, setCreating] = useState(false)
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  const empty = list.isSuccess && items.length === 0
  const untouched = empty && !q && !view
  const look = (id: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, answer: id }), replace: true })
  const newButton = mayWrite && (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> New answer
    </Button>
  )

  return (
    <Page title="Answers" lead="What you have approved once and can say again." actions={!untouched && newButton}>
      <Filters />
      {list.isPending && <Loading label="Loading answers" />}
      {list.error && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {shown.error && <ErrorNotice error={shown.error} />}
      {untouched && (
        <div className="card">
          <EmptyState icon={<LibraryBig aria-hidden />} title="Keep your first answer" action={newButton}>
            {mayWrite
              ? 'Funders ask the same things again. Write an answer here, or approve a section and choose “Save as answer” there. Bidwright suggests it when a question like it comes up.'
              : 'There is no answer yet. Members of this organisation can keep some.'}
          </EmptyState>
        </div>
      )}
      {empty && !untouched && (
        <EmptyState icon={<Search aria-hidden />} title={q ? 'Nothing matches' : EMPTY[view ?? 'due'].title}>
          {q ? `No answer here has “${q}” in it. Try fewer words.` : EMPTY[view ?? 'due'].text}
        </EmptyState>
      )}
      {items.length > 0 && (
        <ul className="card divide-y divide-line overflow-hidden" aria-label="Answers">
          {items.map((answer) => (
            <Row key={answer.id} answer={answer} mayWrite={mayWrite} onOpen={() => look(answer.id)} />
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
      {mayWrite && (
        <AnswerDialog
          subject={creating ? NEW : (shownId && shown.data) || null}
          onClose={() => {
            setCreating(false)
            if (shownId) look(undefined)
          }}
        />
      )}
    </Page>
  )
}

const EMPTY = {
  due: { title: 'Nothing is due', text: 'No answer waits for a review.' },
  archived: { title: 'Nothing is archived', text: 'Answers that you archive can be taken back from here.' },
}

function Row({ answer, mayWrite, onOpen }: { answer: Answer; mayWrite: boolean; onOpen: () => void }) {
  const org = useOrg()
  const me = useQuery(meQuery).data
  const members = useQuery({ ...membersQuery(org.id), enabled: !org.personal }).data
  const people = members ?? (me ? [{ user_id: me.user.id, name: me.user.name }] : [])
  const archived = answer.state === 'archived'
  const notes = [
    usesInWords(answer),
    `Owner: ${ownerName(answer.owner_id, people)}`,
    answer.review_due ? '' : reviewInWords(answer),
    sourceInWords(answer.source),
  ].filter(Boolean)
  return (
    <li className="flex items-start gap-3 px-5 py-4">
      <div className="min-w-0 flex-1">
        <h2 className="line-clamp-3 text-[1.05rem] leading-snug font-semibold wrap-anywhere">
          {mayWrite ? (
            <button type="button" className="rounded-md text-left wrap-anywhere hover:underline" onClick={onOpen}>
              {answer.question}
            </button>
          ) : (
            answer.question
          )}
        </h2>
        <p className="mt-1 line-clamp-2 text-ink-2 wrap-anywhere">{opening(answer.answer)}</p>
        <p className="mt-1.5 text-[0.87rem] text-ink-3 wrap-anywhere">{notes.join(' · ')}</p>
        {(answer.review_due || answer.tags.length > 0) && (
          <p className="mt-2 flex flex-wrap gap-1.5">
            {answer.review_due && (
              <Badge tone="warn">
                <CalendarClock aria-hidden /> Review due
              </Badge>
            )}
            {answer.tags.map((tag) => (
              <Badge key={tag} className="max-w-full truncate">
                {tag}
              </Badge>
            ))}
          </p>
        )}
      </div>
      {mayWrite && (
        <div className="flex shrink-0 gap-1">
          <IconButton
            label={archived ? `Take back “${answer.question}”` : `Archive “${answer.question}”`}
            onClick={() => void move(answer)}
          >
            {archived ? <ArchiveRestore aria-hidden /> : <Archive aria-hidden />}
          </IconButton>
          {archived && <Delete answer={answer} />}
        </div>
      )}
    </li>
  )
}

function Delete({ answer }: { answer: Answer }) {
  const [asking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.deleteAnswer(answer.id),
    onSuccess: () => {
      setAsking(false)
      void queryClient.invalidateQueries({ queryKey: keys.answers() })
    },
    onError: toast.error,
  })
  return (
    <>
      <IconButton label={`Delete “${answer.question}”`} onClick={() => setAsking(true)}>
        <Trash2 aria-hidden />
      </IconButton>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title="Delete this answer?"
        confirm="Delete"
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      >
        “{answer.question}” is removed for everyone. This cannot be undone.
      </ConfirmDialog>
    </>
  )
}

/** Archives an answer or takes it back, and offers the way back. */
async function move(answer: Answer, undoing = false): Promise<void> {
  const state = answer.state === 'active' ? 'archived' : 'active'
  try {
    const moved = await api.changeAnswer(answer.id, answer.version, { state })
    if (undoing) return
    toast.show({
      title: state === 'archived' ? 'Archived' : 'Taken back',
      description: answer.question,
      action: { label: 'Undo', onClick: () => void move(moved, true) },
      timeout: 9000,
    })
  } catch (error) {
    toast.error(error)
  } finally {
    void queryClient.invalidateQueries({ queryKey: keys.answers() })
  }
}

function Filters() {
  const { q = '', view } = route.useSearch()
  const navigate = route.useNavigate()
  const [value, setValue] = useState(q)
  useEffect(() => {
    if (value.trim() === q) return
    const timer = setTimeout(() => {
      void navigate({ search: (before) => ({ ...before, q: value.trim() || undefined }), replace: true })
    }, 250)
    return () => clearTimeout(timer)
  }, [value, q, navigate])
  return (
    <div className="mb-4 flex flex-wrap gap-3">
      <div className="relative max-w-sm min-w-48 flex-1">
        <Search
          className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3"
          aria-hidden
        />
        <input
          type="search"
          aria-label="Search answers"
          placeholder="Search questions, answers and tags"
          value={value}
          maxLength={200}
          onChange={(e) => setValue(e.target.value)}
          className="control pl-9!"
        />
      </div>
      <select
        aria-label="Which answers"
        className="control w-auto!"
        value={view ?? ''}
        onChange={(e) =>
          void navigate({ search: (before) => ({ ...before, view: viewOf(e.target.value) }), replace: true })
        }
      >
        <option value="">In use</option>
        <option value="due">Due for review</option>
        <option value="archived">Archived</option>
      </select>
    </div>
  )
}

const viewOf = (value: string): 'due' | 'archived' | undefined =>
  value === 'due' || value === 'archived' ? value : undefined
