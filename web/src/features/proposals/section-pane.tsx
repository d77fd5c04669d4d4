import { useMutation } from '@tanstack/react-query'
import { BookmarkPlus, Check, Code, LockOpen, Trash2, Type } from 'lucide-react'
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react'

import { api, keys, queryClient, type Proposal, type Section } from '@/api'
import { AnswerDialog } from '@/features/answers/dialog'
import { accept, discard, useGeneration } from '@/features/assistant/generations'
import { AssistantPanel } from '@/features/assistant/panel'
import { ConflictNotice } from '@/features/editor/conflict'
import { countGaps, countWords } from '@/features/editor/words'
import { SaveBadge } from '@/features/editor/save-badge'
import { putSection, useSectionAutosave } from '@/features/editor/use-autosave'
import { Button, IconButton } from '@/ui/button'
import { Badge } from '@/ui/feedback'
import { plural } from '@/ui/format'
import { toast } from '@/ui/toast'

import { useRemoveSection } from './removed-sections'
import { STATUS_NAMES } from './section-list'
import { useJump } from './jump'
import { Provenance } from './provenance'
import { SectionTitle } from './section-title'
import { Streaming, SuggestionView, TextSkeleton } from './section-views'

const TextEditor = lazy(() => import('@/features/editor/text-editor'))

interface SectionPaneProps {
  proposal: Proposal
  section: Section
  /** The characters of its text to show, as `12-80`. */
  at?: string | undefined
  editable: boolean
  panel: (assistant: ReactNode) => ReactNode
}

/** One section: its text in the middle, the assistant beside it. */
export function SectionPane({ proposal, section, at, editable, panel }: SectionPaneProps) {
  const { autosave, state, epoch, replace } = useSectionAutosave(section)
  const { running, suggestion } = useGeneration(section.id)
  useJump(section.text, at)
  const [source, setSource] = useState<boolean | null>(null)
  const approved = section.status === 'approved'
  const [keeping, setKeeping] = useState(false)
  const remove = useRemoveSection(section)
  const conflict = state.kind === 'conflict' ? state : null

  /** The section with nothing unsaved, as the server has it. */
  const settle = async (): Promise<Section | null> => {
    if (!(await autosave.flush())) {
      toast.show({ title: 'Your text is not saved yet', description: 'Settle that first, then try again.' }, 'error')
      return null
    }
    return { ...section, revision: autosave.revision, text: autosave.text }
  }

  // Undoing makes sense until the text is changed again.
  const undo = useRef<string | null>(null)
  const forgetUndo = () => {
    if (undo.current) toast.close(undo.current)
    undo.current = null
  }

  const approve = useMutation({
    mutationFn: async () => {
      forgetUndo()
      const ready = await settle()
      return ready && (await api.approveSection(ready.id, ready.revision))
    },
    onSuccess: (saved) => saved && afterApproval(saved, replace),
    onError: toast.error,
  })
  const withdraw = useMutation({
    mutationFn: () => api.withdrawApproval(section.id),
    onSuccess: (saved) => afterApproval(saved, replace),
    onError: toast.error,
  })
  const take = useMutation({
    mutationFn: () => accept(section),
    onSuccess: (saved) => {
      if (!saved) return
      const before = autosave.text
      replace(saved)
      undo.current = toast.show({
        title: 'Revision accepted',
        action: { label: 'Undo', onClick: () => void putBack(saved, before).then(replace, toast.error) },
        timeout: 9000,
      })
    },
    onError: toast.error,
  })

  const shownText = running?.text ? running.text : autosave.text
  const words = countWords(shownText)
  const gaps = countGaps(shownText)
  return (
    <>
      <div id="section-text" className="min-w-0 bg-surface xl:overflow-y-auto">
        <div className="mx-auto flex min-h-full max-w-4xl flex-col">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-5 pt-5 sm:px-10">
            <SectionTitle section={section} editable={editable && !approved && !running} autosave={autosave} />
            <div className="ml-auto flex flex-wrap items-center justify-end gap-x-2.5 gap-y-2">
              {editable && !approved && !running && <SaveBadge state={state} />}
              <Badge tone={approved ? 'ok' : section.status === 'draft' ? 'warn' : 'neutral'}>
                {approved && <Check aria-hidden />} {STATUS_NAMES[section.status]}
              </Badge>
              {editable && !running && !approved && (
                <IconButton
                  label="Remove this section"
                  disabled={remove.isPending}
                  onClick={() => void settle().then((ready) => ready && remove.mutate())}
                >
                  <Trash2 aria-hidden />
                </IconButton>
              )}
              {editable &&
                !running &&
                (approved ? (
                  <>
                    <Button size="sm" onClick={() => setKeeping(true)}>
                      <BookmarkPlus aria-hidden /> Save as answer
                    </Button>
                    <Button size="sm" busy={withdraw.isPending} onClick={() => withdraw.mutate()}>
                      <LockOpen aria-hidden /> Withdraw approval
                    </Button>
                  </>
                ) : (
                  <Button
                    size="sm"
                    variant="primary"
                    busy={approve.isPending}
                    disabled={Boolean(running ?? suggestion ?? conflict) || words === 0}
                    onClick={() => approve.mutate()}
                  >
                    <Check aria-hidden /> Approve
                  </Button>
                ))}
            </div>
          </div>
          {conflict && (
            <ConflictNotice
              conflict={conflict}
              onResolve={(choice) => {
                autosave.resolve(choice)
                if (choice === 'theirs') void takeTheirs(section.id, replace)
              }}
            />
          )}
          {running ? (
            <Streaming text={running.text} previous={running.kind === 'revise' ? section.text : ''} />
          ) : suggestion ? (
            <SuggestionView
              suggestion={suggestion}
              busy={take.isPending}
              onAccept={() => take.mutate()}
              onDiscard={() => discard(section.id)}
            />
          ) : (
            <Suspense fallback={<TextSkeleton />}>
              <TextEditor
                key={`${epoch}`}
                initial={autosave.text}
                label={`Text of ${section.title}`}
                editable={editable && !approved}
                source={source}
                onChange={(text) => {
                  forgetUndo()
                  autosave.edit(text)
                }}
                toggle={(on) => (
                  <IconButton
                    label={on ? 'Show formatted text' : 'Show Markdown source'}
                    onClick={() => setSource(!on)}
                  >
                    {on ? <Type aria-hidden /> : <Code aria-hidden />}
                  </IconButton>
                )}
              />
            </Suspense>
          )}
          <p className="mt-auto border-t border-line px-5 py-2 text-[0.85rem] text-ink-3 sm:px-10">
            {plural(words, 'word')}
            {gaps > 0 && <span className="text-warn"> · {plural(gaps, 'gap')} to complete</span>}
            {section.page_limit
              ? ` · the call allows ${plural(section.page_limit, 'page')}, about ${plural(section.page_limit * 450, 'word')}`
              : ''}
          </p>
          {!running && !suggestion && <Provenance section={section} />}
        </div>
      </div>
      <AnswerDialog
        subject={keeping ? { question: section.title, answer: section.text, section_id: section.id } : null}
        onClose={() => setKeeping(false)}
      />
      {panel(<AssistantPanel proposal={proposal} section={section} editable={editable} settle={settle} />)}
    </>
  )
}

function afterApproval(saved: Section, replace: (section: Section) => void): void {
  putSection(saved)
  replace(saved)
  void queryClient.invalidateQueries({ queryKey: keys.proposal(saved.proposal_id) })
  void queryClient.invalidateQueries({ queryKey: keys.proposals() })
}

/** Undoes an accepted revision, unless the text has been changed since. */
async function putBack(accepted: Section, before: string): Promise<Section> {
  const saved = await api.saveSection(accepted.id, accepted.revision, { text: before })
  putSection(saved)
  return saved
}

async function takeTheirs(sectionId: string, replace: (section: Section) => void): Promise<void> {
  try {
    const now = await api.getSection(sectionId)
    putSection(now)
    replace(now)
  } catch (error) {
    toast.error(error)
  }
}
