import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { FileText } from 'lucide-react'
import { useState } from 'react'

import { api, isApiError, isProcessing, keys, queryClient, uploadQuery, uploadsQuery, usageQuery } from '@/api'
import { DropZone, TransferRow, UploadStatus } from '@/features/uploads/parts'
import { useUploads } from '@/features/uploads/use-upload'
import { Button } from '@/ui/button'
import { cx } from '@/ui/cx'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextArea, TextField } from '@/ui/field'

type Source = 'file' | 'text'

export function NewProposal({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="New proposal"
      description="Give it a name and bring the call it answers."
    >
      <NewProposalForm onCancel={() => onOpenChange(false)} />
    </Dialog>
  )
}

function NewProposalForm({ onCancel }: { onCancel: () => void }) {
  const navigate = useNavigate()
  const [source, setSource] = useState<Source>('file')
  const [uploadId, setUploadId] = useState<string | null>(null)
  const upload = useQuery({ ...uploadQuery(uploadId ?? ''), enabled: uploadId !== null }).data

  const create = useMutation({
    mutationFn: api.createProposal,
    onSuccess: async (proposal) => {
      queryClient.setQueryData(keys.proposal(proposal.id), proposal)
      void queryClient.invalidateQueries({ queryKey: keys.proposals() })
      void queryClient.invalidateQueries({ queryKey: usageQuery().queryKey })
      await navigate({ to: '/proposals/$proposalId', params: { proposalId: proposal.id } })
    },
  })
  const fieldError = (name: string) => (isApiError(create.error) ? create.error.field(name) : undefined)
  const shownAtField = Boolean(fieldError('title') ?? fieldError('call_text'))
  const reading = upload !== undefined && isProcessing(upload)
  const ready = source === 'text' || upload?.status === 'ready'

  return (
    <form
      className="space-y-5"
      onSubmit={(e) => {
        e.preventDefault()
        const data = new FormData(e.currentTarget)
        const title = String(data.get('title') ?? '').trim()
        if (source === 'text') create.mutate({ title, call_text: String(data.get('call_text') ?? '') })
        else if (uploadId) create.mutate({ title, call_upload_id: uploadId })
      }}
    >
      {create.error && !shownAtField && <ErrorNotice error={create.error} />}
      <TextField
        label="Title"
        name="title"
        required
        maxLength={300}
        autoFocus
        placeholder="Clean water for the valley"
        error={fieldError('title')}
      />
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
                onChange={() => setSource(kind)}
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
            error={fieldError('call_text')}
          />
        ) : (
          <CallFile chosen={uploadId} onChoose={setUploadId} />
        )}
      </fieldset>
      {source === 'file' && upload?.status === 'unreadable' && (
        <Notice tone="warn" role="alert" title="We could not read text in this file">
          {upload.detail} Choose another file, or paste the text of the call instead.
        </Notice>
      )}
      <div className="flex items-center justify-end gap-2">
        {source === 'file' && reading && (
          <span className="mr-auto text-[0.9rem] text-ink-3" role="status">
            Reading the file…
          </span>
        )}
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={create.isPending} disabled={!ready}>
          Create proposal
        </Button>
      </div>
    </form>
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
