import { useMutation, useQuery } from '@tanstack/react-query'
import { Megaphone } from 'lucide-react'
import { useState } from 'react'

import { api, isApiError, isProcessing, keys, queryClient, uploadQuery } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice, Notice } from '@/ui/feedback'

import { CallFields, type Source } from './call-fields'

/** Gives its call to a proposal that was begun without one. */
export function AddCall({ proposalId }: { proposalId: string }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Megaphone aria-hidden /> Add the call
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title="Add the call" description="The one that this proposal answers.">
        <AddCallForm proposalId={proposalId} onDone={() => setOpen(false)} />
      </Dialog>
    </>
  )
}

function AddCallForm({ proposalId, onDone }: { proposalId: string; onDone: () => void }) {
  const [source, setSource] = useState<Source>('file')
  const [uploadId, setUploadId] = useState<string | null>(null)
  const upload = useQuery({ ...uploadQuery(uploadId ?? ''), enabled: uploadId !== null }).data
  const give = useMutation({
    mutationFn: (call: { call_text?: string; call_upload_id?: string }) => api.giveCall(proposalId, call),
    onSuccess: (proposal) => {
      queryClient.setQueryData(keys.proposal(proposalId), proposal)
      onDone()
    },
  })
  const textError = isApiError(give.error) ? give.error.field('call_text') : undefined
  const reading = upload !== undefined && isProcessing(upload)
  return (
    <form
      className="space-y-5"
      onSubmit={(e) => {
        e.preventDefault()
        const text = String(new FormData(e.currentTarget).get('call_text') ?? '')
        if (source === 'text') give.mutate({ call_text: text })
        else if (uploadId) give.mutate({ call_upload_id: uploadId })
      }}
    >
      {give.error && !textError && <ErrorNotice error={give.error} />}
      <CallFields source={source} onSource={setSource} uploadId={uploadId} onUpload={setUploadId} error={textError} />
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
        <Button onClick={onDone}>Cancel</Button>
        <Button
          type="submit"
          variant="primary"
          busy={give.isPending}
          disabled={source === 'file' && upload?.status !== 'ready'}
        >
          Add call
        </Button>
      </div>
    </form>
  )
}
