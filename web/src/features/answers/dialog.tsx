import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api, isApiError, keys, membersQuery, meQuery, queryClient, type Answer, type NewAnswer } from '@/api'
import { useOrg } from '@/features/shell/org'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { SelectField, TextArea, TextField } from '@/ui/field'
import { toast } from '@/ui/toast'

import { inAYear, MAX_TAGS, ownerName, tagsOf } from './words'

/** What a new answer begins with: nothing, a section's text, or what somebody answered to a question. */
export type Beginning = Pick<NewAnswer, 'question' | 'answer' | 'section_id' | 'question_id'>

interface DialogProps {
  /** An answer to change, or what a new one begins with; null: closed. */
  subject: Answer | Beginning | null
  onClose: () => void
}

export function AnswerDialog({ subject, onClose }: DialogProps) {
  const known = subject !== null && isKept(subject)
  return (
    <Dialog
      open={subject !== null}
      onOpenChange={(open) => !open && onClose()}
      title={known ? 'Change the answer' : 'Keep an answer'}
      description={known ? undefined : 'It is suggested wherever a question like this comes up.'}
      wide
    >
      {subject && <AnswerForm key={known ? subject.id : 'new'} subject={subject} onClose={onClose} />}
    </Dialog>
  )
}

const isKept = (subject: Answer | Beginning): subject is Answer => 'version' in subject

function AnswerForm({ subject, onClose }: { subject: Answer | Beginning; onClose: () => void }) {
  const kept = isKept(subject) ? subject : null
  const [base, setBase] = useState(kept)
  const [theirs, setTheirs] = useState<Answer | null>(null)
  const save = useMutation({
    mutationFn: (fields: Fields) =>
      base
        ? api.changeAnswer(base.id, base.version, fields)
        : api.keepAnswer({
            ...fields,
            section_id: sourceOf(subject).section_id,
            question_id: sourceOf(subject).question_id,
          }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: keys.answers() })
      if (!base) toast.show({ title: 'Kept in your answers' })
      onClose()
    },
    onError: async (error) => {
      if (!base || !isApiError(error, 'stale_revision')) return
      const now = await api.getAnswer(base.id)
      setTheirs(now)
      setBase(now)
    },
  })
  const fieldError = (name: string) => (isApiError(save.error) ? save.error.field(name) : undefined)
  const atField = ['question', 'answer', 'tags', 'review_on'].some(fieldError)
  return (
    <form
      className="space-y-4"
      onSubmit={(e) => {
        e.preventDefault()
        e.stopPropagation() // the dialog may stand in another form
        save.mutate(read(new FormData(e.currentTarget)))
      }}
    >
      {theirs && isApiError(save.error, 'stale_revision') ? (
        <Notice tone="warn" role="alert" title="Someone changed this answer meanwhile">
          <p>It now says:</p>
          <blockquote className="mt-1 max-h-40 overflow-y-auto border-l-2 border-line-strong pl-3 wrap-anywhere whitespace-pre-wrap">
            {theirs.answer}
          </blockquote>
          <p className="mt-1">Take over what you need, then save: yours replaces it.</p>
        </Notice>
      ) : (
        save.error && !atField && <ErrorNotice error={save.error} />
      )}
      <TextArea
        label="Question"
        name="question"
        rows={2}
        required
        maxLength={1000}
        autoFocus
        defaultValue={subject.question}
        placeholder="As a funder asks it"
        error={fieldError('question')}
      />
      <TextArea
        label="Answer"
        name="answer"
        rows={7}
        required
        maxLength={10000}
        defaultValue={subject.answer}
        hint="Markdown. What is here may go into any proposal, so keep to what is true of all."
        error={fieldError('answer')}
      />
      <TextField
        label="Tags"
        name="tags"
        defaultValue={kept?.tags.join(', ')}
        placeholder="team, safeguarding"
        hint={`With commas between, ${MAX_TAGS} at most.`}
        error={tagError(save.error)}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Owner chosen={kept ? kept.owner_id : undefined} />
        <TextField
          label="Review on"
          name="review_on"
          type="date"
          defaultValue={kept ? (kept.review_on ?? '') : inAYear()}
          hint="From that day on it is shown as due."
          error={fieldError('review_on')}
        />
      </div>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={save.isPending}>
          {kept ? 'Save' : 'Keep answer'}
        </Button>
      </div>
    </form>
  )
}

/** Who keeps it true; alone, that is you. */
function Owner({ chosen }: { chosen: string | null | undefined }) {
  const org = useOrg()
  const me = useQuery(meQuery).data
  const members = useQuery({ ...membersQuery(org.id), enabled: !org.personal }).data
  const people = members ?? (me ? [{ user_id: me.user.id, name: me.user.name }] : [])
  const value = chosen === undefined ? (me?.user.id ?? '') : (chosen ?? '')
  return (
    <SelectField label="Owner" name="owner_id" defaultValue={value} key={people.length} hint="Who keeps it true.">
      <option value="">Nobody</option>
      {people.map((person) => (
        <option key={person.user_id} value={person.user_id}>
          {person.name}
        </option>
      ))}
      {value && !people.some((person) => person.user_id === value) && (
        <option value={value}>{ownerName(value, people)}</option>
      )}
    </SelectField>
  )
}

type Fields = Required<Pick<NewAnswer, 'question' | 'answer' | 'tags' | 'owner_id' | 'review_on'>>

function read(data: FormData): Fields {
  const text = (name: string) => String(data.get(name) ?? '')
  return {
    question: text('question').trim(),
    answer: text('answer'),
    tags: tagsOf(text('tags')),
    owner_id: text('owner_id') || null,
    review_on: text('review_on') || null,
  }
}

const sourceOf = (subject: Answer | Beginning): Partial<Beginning> => (isKept(subject) ? {} : subject)

function tagError(error: unknown): string | undefined {
  if (!isApiError(error)) return undefined
  const first = error.body.errors?.find(({ field }) => field === 'tags' || field.startsWith('tags.'))
  return first?.message
}
