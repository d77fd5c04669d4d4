import { useQuery } from '@tanstack/react-query'
import { FileText } from 'lucide-react'

import { uploadsQuery } from '@/api'
import { DropZone, TransferRow, UploadStatus } from '@/features/uploads/parts'
import { useUploads } from '@/features/uploads/use-upload'
import { cx } from '@/ui/cx'
import { ErrorNotice } from '@/ui/feedback'
import { TextArea } from '@/ui/field'

export type Source = 'file' | 'text'

interface CallFieldsProps {
  source: Source
  onSource: (source: Source) => void
  uploadId: string | null
  onUpload: (id: string | null) => void
  error?: string
}

/** The call, as a file or as text (`call_text` of the form that they stand in). */
export function CallFields({ source, onSource, uploadId, onUpload, error }: CallFieldsProps) {
  return (
    <fieldset>
      <legend className="mb-1.5 text-[0.93rem] font-medium">The call</legend>
      <div className="mb-3 inline-flex rounded-lg bg-sunken p-1">
        {(['file', 'text'] as const).map((kind) => (
          <label
            key={kind}
            className={cx(
              'cursor-pointer rounded-md px-3 py-1 text-[0.93rem] font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent',
              source === kind ? 'bg-surface shadow-card' : 'text-ink-2',
            )}
          >
            <input
              type="radio"
              name="source"
              value={kind}
              checked={source === kind}
              onChange={() => onSource(kind)}
              className="sr-only"
            />
            {kind === 'file' ? 'A file' : 'Pasted text'}
          </label>
        ))}
      </div>
      {source === 'text' ? (
        <TextArea
          label={<span className="sr-only">Text of the call</span>}
          name="call_text"
          required
          rows={9}
          placeholder="Paste the call: what is funded, the criteria, page limits, annexes…"
          error={error}
        />
      ) : (
        <CallFile chosen={uploadId} onChoose={onUpload} />
      )}
    </fieldset>
  )
}

function CallFile({ chosen, onChoose }: { chosen: string | null; onChoose: (id: string | null) => void }) {
  const uploads = useQuery(uploadsQuery())
  const { transfers, send, dismiss } = useUploads((upload) => onChoose(upload.id))
  return (
    <div className="space-y-3">
      <DropZone onFiles={(files) => files.forEach((file) => void send(file))} />
      {transfers.map((transfer) => (
        <TransferRow key={transfer.key} transfer={transfer} onDismiss={() => dismiss(transfer.key)} />
      ))}
      {uploads.error && <ErrorNotice error={uploads.error} onRetry={() => void uploads.refetch()} />}
      {uploads.data && uploads.data.length > 0 && (
        <div
          role="radiogroup"
          aria-label="Your uploads"
          className="max-h-48 space-y-1 overflow-y-auto rounded-xl border border-line p-1.5"
        >
          {uploads.data.map((upload) => (
            <label
              key={upload.id}
              className={cx(
                'flex cursor-pointer items-center gap-3 rounded-lg px-2.5 py-2 has-focus-visible:outline-2 has-focus-visible:outline-accent',
                chosen === upload.id ? 'bg-accent-soft' : 'hover:bg-sunken',
              )}
            >
              <input
                type="radio"
                name="call_upload"
                className="accent-accent"
                checked={chosen === upload.id}
                onChange={() => onChoose(upload.id)}
              />
              <FileText className="size-4 shrink-0 text-ink-3" aria-hidden />
              <span className="min-w-0 flex-1 truncate">{upload.filename}</span>
              <UploadStatus upload={upload} />
            </label>
          ))}
        </div>
      )}
    </div>
  )
}
