import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api, isApiError, isProcessing, keys, queryClient, uploadQuery, usageQuery } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { TextField } from '@/ui/field'

import { CallFields, type Source } from './call-fields'

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
      <CallFields
        source={source}
        onSource={setSource}
        uploadId={uploadId}
        onUpload={setUploadId}
        error={fieldError('call_text')}
      />
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
