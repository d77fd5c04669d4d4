import { Check, X } from 'lucide-react'
import { lazy, Suspense } from 'react'

import { changeInWords, DiffView } from '@/features/assistant/diff-view'
import type { Suggestion } from '@/features/assistant/generations'
import { Button } from '@/ui/button'
import { Skeleton } from '@/ui/feedback'

const MarkdownView = lazy(() => import('@/features/editor/markdown-view'))

/** The text as the AI writes it. */
export function Streaming({ text, previous }: { text: string; previous: string }) {
  const shown = text || previous
  return (
    <div className="px-5 py-6 sm:px-10 sm:py-8" aria-busy="true">
      {shown ? (
        <Suspense fallback={<TextSkeleton />}>
          <div className={text ? undefined : 'opacity-50'}>
            <MarkdownView text={shown} growing={text !== ''} />
          </div>
        </Suspense>
      ) : (
        <TextSkeleton bare />
      )}
    </div>
  )
}

export function SuggestionView({
  suggestion,
  busy,
  onAccept,
  onDiscard,
}: {
  suggestion: Suggestion
  busy: boolean
  onAccept: () => void
  onDiscard: () => void
}) {
  return (
    <section aria-label="Suggested revision">
      <div className="sticky top-15 z-1 mt-4 flex flex-wrap items-center gap-3 border-y border-line bg-accent-soft px-5 py-2.5 sm:px-10 xl:top-0">
        <p className="min-w-0 flex-1 text-accent-ink">
          <span className="font-semibold">{suggestion.title}</span>: {changeInWords(suggestion.blocks)}
        </p>
        <Button size="sm" disabled={busy} onClick={onDiscard}>
          <X aria-hidden /> Discard
        </Button>
        <Button size="sm" variant="primary" busy={busy} onClick={onAccept}>
          <Check aria-hidden /> Accept
        </Button>
      </div>
      <div className="px-5 py-6 sm:px-10 sm:py-8">
        <DiffView blocks={suggestion.blocks} />
      </div>
    </section>
  )
}

export function TextSkeleton({ bare = false }: { bare?: boolean }) {
  return (
    <div className={bare ? 'space-y-3.5' : 'space-y-3.5 px-5 py-8 sm:px-10'} role="status">
      <span className="sr-only">Loading the text</span>
      {['w-11/12', 'w-full', 'w-4/5', 'w-full', 'w-2/3'].map((width, i) => (
        <Skeleton key={i} className={`h-4.5 ${width}`} />
      ))}
    </div>
  )
}
