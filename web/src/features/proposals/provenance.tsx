import { useQuery } from '@tanstack/react-query'
import { Fingerprint } from 'lucide-react'
import { useState } from 'react'

import { membersQuery, provenanceQuery, type ParagraphOrigin, type Section } from '@/api'
import { useOrg } from '@/features/shell/org'
import { Badge, ErrorNotice, Loading, type Tone } from '@/ui/feedback'
import { plural } from '@/ui/format'

import { BY, summary } from './provenance-words'

const TONES: Record<ParagraphOrigin['by'], Tone> = { person: 'neutral', model: 'warn', both: 'ok' }

/** Below the text: who wrote which of its paragraphs. Asked for when it is opened. */
export function Provenance({ section }: { section: Section }) {
  const [open, setOpen] = useState(false)
  if (section.text.trim() === '') return null
  return (
    <details
      className="border-t border-line px-5 py-2 text-[0.93rem] sm:px-10"
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary className="cursor-pointer text-ink-2">
        <Fingerprint className="mr-1 inline size-4" aria-hidden /> Who wrote this
      </summary>
      {open && <Paragraphs section={section} />}
    </details>
  )
}

function Paragraphs({ section }: { section: Section }) {
  const org = useOrg()
  const found = useQuery(provenanceQuery(section.id, section.revision))
  const members = useQuery(membersQuery(org.id))
  if (found.error) return <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />
  if (!found.data) return <Loading label="Looking it up" />
  const nameOf = (id: string | null) => members.data?.find((member) => member.user_id === id)?.name ?? 'a person'
  return (
    <div className="space-y-2 py-2">
      <p className="text-ink-2">{summary(found.data.words)}</p>
      <ol className="divide-y divide-line rounded-xl border border-line" aria-label="Paragraphs">
        {found.data.paragraphs.map((one, i) => (
          <li key={i} className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-3 py-2">
            <Badge tone={TONES[one.by]}>{BY[one.by]}</Badge>
            <span className="min-w-0 flex-1 basis-56 truncate">{section.text.slice(one.start, one.end)}</span>
            <span className="text-[0.85rem] text-ink-3">
              {[
                one.by !== 'model' && nameOf(one.person_id),
                one.model && [one.model, one.prompt].filter(Boolean).join(', '),
                plural(one.words, 'word'),
              ]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </li>
        ))}
      </ol>
    </div>
  )
}
