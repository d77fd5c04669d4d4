import { useMutation, useQuery } from '@tanstack/react-query'
import { Download, Eye, File, FileText, Image, Paperclip, Trash2 } from 'lucide-react'
import { useState } from 'react'

import { api, download, keys, queryClient, uploadsQuery, usageQuery, type Upload } from '@/api'
import { canWrite, useOrg } from '@/features/shell/org'
import { IconButton } from '@/ui/button'
import { ConfirmDialog, Dialog } from '@/ui/dialog'
import { EmptyState, ErrorNotice, Loading } from '@/ui/feedback'
import { ago, bytes, plural } from '@/ui/format'
import { Page } from '@/ui/page'
import { toast } from '@/ui/toast'

import { DropZone, TransferRow, UploadStatus } from './parts'
import { UploadTextView } from './text-view'
import { UnfinishedUploads } from './unfinished'
import { useUploads } from './use-upload'

export default function Uploads() {
  const org = useOrg()
  const uploads = useQuery(uploadsQuery())
  const usage = useQuery(usageQuery())
  const { transfers, send, dismiss } = useUploads()
  const [reading, setReading] = useState<Upload | null>(null)
  const [deleting, setDeleting] = useState<Upload | null>(null)
  const limit = usage.data?.limits.upload_max_bytes
  const mayWrite = canWrite(org)

  const remove = useMutation({
    mutationFn: (upload: Upload) => api.deleteUpload(upload.id),
    onSuccess: async (_, upload) => {
      setDeleting(null)
      toast.show({ title: 'Deleted', description: upload.filename })
      await queryClient.invalidateQueries({ queryKey: keys.uploads() })
      void queryClient.invalidateQueries({ queryKey: keys.usage() })
    },
    onError: (error) => {
      setDeleting(null)
      toast.error(error)
    },
  })

  return (
    <Page title="Uploads" lead="Calls and your own documents. Their text is what the AI works from.">
      {mayWrite && (
        <DropZone multiple onFiles={(files) => files.forEach((file) => void send(file))}>
          PDF, DOCX, text or a scan{limit ? `, up to ${bytes(limit)}` : ''}
        </DropZone>
      )}
      {mayWrite && <UnfinishedUploads underWay={transfers} />}
      {transfers.length > 0 && (
        <div className="mt-4 space-y-3">
          {transfers.map((transfer) => (
            <TransferRow key={transfer.key} transfer={transfer} onDismiss={() => dismiss(transfer.key)} />
          ))}
        </div>
      )}
      <div className="mt-6">
        {uploads.isPending && <Loading label="Loading uploads" />}
        {uploads.error && <ErrorNotice error={uploads.error} onRetry={() => void uploads.refetch()} />}
        {uploads.data?.length === 0 && (
          <EmptyState icon={<Paperclip aria-hidden />} title="No uploads yet">
            Upload the call that you answer, and what you have already written about your work: reports, budgets,
            earlier proposals.
          </EmptyState>
        )}
        {uploads.data && uploads.data.length > 0 && (
          <ul className="card divide-y divide-line overflow-hidden" aria-label="Uploads">
            {uploads.data.map((upload) => (
              <li key={upload.id} className="flex items-center gap-3.5 px-4 py-3">
                <TypeIcon type={upload.content_type} />
                <div className="min-w-0 flex-1">
                  <p className="truncate font-medium" title={upload.filename}>
                    {upload.filename}
                  </p>
                  <p className="text-[0.87rem] text-ink-3">
                    {[
                      bytes(upload.size),
                      upload.pages ? plural(upload.pages, 'page') : null,
                      upload.created_at ? ago(upload.created_at) : null,
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </p>
                  {upload.detail && <p className="text-[0.87rem] text-danger">{upload.detail}</p>}
                </div>
                <UploadStatus upload={upload} />
                <div className="flex">
                  <IconButton
                    label={`Read the text of ${upload.filename}`}
                    disabled={upload.status !== 'ready'}
                    onClick={() => setReading(upload)}
                  >
                    <Eye aria-hidden />
                  </IconButton>
                  <IconButton
                    label={`Download ${upload.filename}`}
                    className="max-sm:hidden"
                    onClick={() => void download(`/api/uploads/${upload.id}/file`, upload.filename).catch(toast.error)}
                  >
                    <Download aria-hidden />
                  </IconButton>
                  {mayWrite && (
                    <IconButton label={`Delete ${upload.filename}`} onClick={() => setDeleting(upload)}>
                      <Trash2 aria-hidden />
                    </IconButton>
                  )}
                </div>
              </li>
            ))}
          </ul>
        )}
      </div>
      <Dialog
        open={reading !== null}
        onOpenChange={(open) => !open && setReading(null)}
        title={reading?.filename ?? ''}
        wide
      >
        {reading && <UploadTextView id={reading.id} />}
      </Dialog>
      <ConfirmDialog
        open={deleting !== null}
        onOpenChange={(open) => !open && setDeleting(null)}
        title="Delete this upload?"
        confirm="Delete"
        busy={remove.isPending}
        onConfirm={() => deleting && remove.mutate(deleting)}
      >
        “{deleting?.filename}” and its text are removed for everyone in the organisation. Proposals that were planned
        from it keep their sections.
      </ConfirmDialog>
    </Page>
  )
}

function TypeIcon({ type }: { type: string }) {
  const Icon = type.startsWith('image/') ? Image : type.includes('pdf') || type.startsWith('text/') ? FileText : File
  return (
    <span className="flex size-9.5 shrink-0 items-center justify-center rounded-lg bg-sunken text-ink-2">
      <Icon className="size-4.5" aria-hidden />
    </span>
  )
}
