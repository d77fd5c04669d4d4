import { useQuery } from '@tanstack/react-query'

import { uploadTextQuery } from '@/api'
import { cx } from '@/ui/cx'
import { ErrorNotice, Loading } from '@/ui/feedback'

/** The text that was read from a file, page by page. */
export function UploadTextView({ id, compact = false }: { id: string; compact?: boolean }) {
  const text = useQuery(uploadTextQuery(id))
  if (text.isPending) return <Loading label="Loading the text" />
  if (text.error) return <ErrorNotice error={text.error} onRetry={() => void text.refetch()} />
  return (
    <div className="space-y-5">
      {text.data.pages.map(({ number: page, text: words, ocr }) => (
        <section key={page} aria-label={`Page ${page}`}>
          <p className="mb-1 text-[0.8rem] font-medium text-ink-3">
            Page {page}
            {ocr && ', read from a picture: check it for mistakes'}
          </p>
          <p className={cx('font-serif leading-relaxed break-words whitespace-pre-wrap', !compact && 'text-[1.1rem]')}>
            {words.trim() || 'No text on this page.'}
          </p>
        </section>
      ))}
    </div>
  )
}
