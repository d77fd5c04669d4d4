import { useQuery } from '@tanstack/react-query'
import { Sparkles, WandSparkles } from 'lucide-react'
import { useState, type FormEvent } from 'react'

import { uploadsQuery, type Proposal, type Section } from '@/api'
import { Suggested, useSuggested } from '@/features/answers/suggested'
import { Button } from '@/ui/button'
import { TextArea } from '@/ui/field'

import { startDraft, startRevision } from './generations'

/** Saves what is unsaved and gives the section as the server has it; null when that failed. */
export type Settle = () => Promise<Section | null>

const IDEAS = ['Make it shorter', 'Open with the need', 'Tie it to the criteria', 'Use plainer words']

export function Revise({ settle }: { settle: Settle }) {
  const [instruction, setInstruction] = useState('')
  const [busy, setBusy] = useState(false)
  const submit = async (e: FormEvent) => {
    e.preventDefault()
    setBusy(true)
    try {
      const ready = await settle()
      if (ready) void startRevision(ready, instruction.trim())
    } finally {
      setBusy(false)
    }
  }
  return (
    <form onSubmit={(e) => void submit(e)} className="space-y-2.5">
      <TextArea
        label="Revise"
        rows={2}
        required
        maxLength={2000}
        placeholder="Say what should change"
        value={instruction}
        onChange={(e) => setInstruction(e.target.value)}
      />
      <div className="flex flex-wrap gap-1.5">
        {IDEAS.map((idea) => (
          <button
            key={idea}
            type="button"
            onClick={() => setInstruction(idea)}
            className="rounded-full border border-line-strong px-2.5 py-0.5 text-[0.87rem] text-ink-2 hover:bg-sunken hover:text-ink"
          >
            {idea}
          </button>
        ))}
      </div>
      <Button type="submit" className="w-full" busy={busy} disabled={instruction.trim() === ''}>
        <WandSparkles aria-hidden /> Revise
      </Button>
    </form>
  )
}

export function Draft({ proposal, section, settle }: { proposal: Proposal; section: Section; settle: Settle }) {
  const [answers, setAnswers] = useState<Record<string, string>>({})
  const [uploadIds, setUploadIds] = useState<string[]>([])
  const [busy, setBusy] = useState(false)
  const again = section.text.trim() !== ''
  const questions = section.questions ?? []
  const suggested = useSuggested(section)
  const answer = (id: string, text: string) => setAnswers((all) => ({ ...all, [id]: text }))

  const submit = async (e: FormEvent) => {
    e.preventDefault()
    setBusy(true)
    try {
      const ready = await settle()
      const given = Object.fromEntries(Object.entries(answers).filter(([, text]) => text.trim() !== ''))
      if (ready) void startDraft(ready, { answers: given, uploadIds })
    } finally {
      setBusy(false)
    }
  }

  const form = (
    <form onSubmit={(e) => void submit(e)} className="space-y-4">
      {questions.map((question) => (
        <div key={question.id}>
          <TextArea
            label={question.text}
            rows={2}
            maxLength={10_000}
            value={answers[question.id] ?? ''}
            onChange={(e) => answer(question.id, e.target.value)}
          />
          <Suggested
            section={section}
            question={question}
            suggestions={suggested(question.id)}
            value={answers[question.id] ?? ''}
            onInsert={(text) => answer(question.id, text)}
          />
        </div>
      ))}
      <TextArea
        label={questions.length > 0 ? 'Anything else' : 'Notes'}
        rows={questions.length > 0 ? 2 : 5}
        maxLength={8000}
        placeholder="Facts, names and numbers that belong in this section"
        hint="Only what you give is stated as fact."
        value={answers.notes ?? ''}
        onChange={(e) => answer('notes', e.target.value)}
      />
      <Sources exclude={proposal.call_upload_id} chosen={uploadIds} onChange={setUploadIds} />
      {again && <p className="text-[0.9rem] text-warn">A new draft replaces the text of this section.</p>}
      <Button type="submit" variant={again ? 'secondary' : 'primary'} className="w-full" busy={busy}>
        <Sparkles aria-hidden /> {again ? 'Draft it anew' : 'Draft with AI'}
      </Button>
    </form>
  )
  if (!again) return form
  return (
    <details className="border-t border-line pt-4">
      <summary className="rounded-md font-medium text-ink-2 hover:text-ink">Start over with a new draft</summary>
      <div className="mt-4">{form}</div>
    </details>
  )
}

/** Which of the team's own documents the draft may draw on. */
function Sources({
  exclude,
  chosen,
  onChange,
}: {
  exclude: string | null | undefined
  chosen: string[]
  onChange: (ids: string[]) => void
}) {
  const uploads = useQuery(uploadsQuery())
  const ready = uploads.data?.filter((u) => u.status === 'ready' && u.id !== exclude) ?? []
  if (ready.length === 0) return null
  return (
    <fieldset>
      <legend className="mb-1.5 text-[0.93rem] font-medium">Draw on your documents</legend>
      <div className="max-h-40 space-y-1 overflow-y-auto">
        {ready.map((upload) => (
          <label key={upload.id} className="flex items-center gap-2.5 rounded-md px-1 py-1 hover:bg-sunken">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={chosen.includes(upload.id)}
              onChange={(e) =>
                onChange(e.target.checked ? [...chosen, upload.id] : chosen.filter((id) => id !== upload.id))
              }
            />
            <span className="truncate">{upload.filename}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
