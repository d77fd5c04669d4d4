import { CloudUpload, LoaderCircle, Pause, Play, X } from 'lucide-react'
import { useId, useRef, useState, type DragEvent, type ReactNode } from 'react'

import type { Upload } from '@/api'
import { buttonClass, IconButton } from '@/ui/button'
import { cx } from '@/ui/cx'
import { Badge, ErrorNotice } from '@/ui/feedback'

import type { Transfer } from './use-upload'

export const ACCEPT = '.pdf,.docx,.txt,.png,.jpg,.jpeg'

/** A place to drop files on, with a button for everyone who does not drag. */
export function DropZone({
  onFiles,
  multiple = false,
  children,
}: {
  onFiles: (files: File[]) => void
  multiple?: boolean
  children?: ReactNode
}) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const take = (list: FileList | null) => {
    const files = [...(list ?? [])]
    if (files.length) onFiles(multiple ? files : files.slice(0, 1))
  }
  const onDrop = (e: DragEvent) => {
    e.preventDefault()
    setOver(false)
    take(e.dataTransfer.files)
  }
  return (
    <div
      onDragOver={(e) => {
        e.preventDefault()
        setOver(true)
      }}
      onDragLeave={(e) => {
        if (!e.currentTarget.contains(e.relatedTarget as Node | null)) setOver(false)
      }}
      onDrop={onDrop}
      className={cx(
        'flex flex-col items-center rounded-2xl border-2 border-dashed px-5 py-7 text-center transition-colors',
        over ? 'border-accent bg-accent-soft' : 'border-line-strong bg-surface',
      )}
    >
      <CloudUpload className="size-7 text-ink-3" aria-hidden />
      <p className="mt-2 font-medium pointer-coarse:hidden">
        {over ? 'Let go to upload' : multiple ? 'Drop files here' : 'Drop a file here'}
      </p>
      <p className="mt-0.5 text-[0.9rem] text-ink-3">{children ?? 'PDF, DOCX, text or a scan'}</p>
      <input
        ref={input}
        id={id}
        type="file"
        accept={ACCEPT}
        multiple={multiple}
        className="peer sr-only"
        onChange={(e) => {
          take(e.target.files)
          e.target.value = '' // the same file may be chosen again
        }}
      />
      <label
        htmlFor={id}
        className={buttonClass(
          'secondary',
          'sm',
          'mt-3 cursor-pointer peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent',
        )}
      >
        {multiple ? 'Choose files' : 'Choose a file'}
      </label>
    </div>
  )
}

export function TransferRow({ transfer, onDismiss }: { transfer: Transfer; onDismiss: () => void }) {
  const { file, progress, state, controls, error } = transfer
  if (error) {
    return (
      <div className="relative">
        <p className="mb-1 truncate pr-10 text-[0.93rem] font-medium">{file.name}</p>
        <ErrorNotice error={error} />
        <IconButton label={`Dismiss ${file.name}`} className="absolute! top-8 right-1.5" onClick={onDismiss}>
          <X aria-hidden />
        </IconButton>
      </div>
    )
  }
  const percent = Math.round(progress * 100)
  const doing = {
    sending: percent < 100 ? `${percent}%` : 'Checking…',
    paused: `Paused at ${percent}%`,
    waiting: 'Connection lost',
  }[state]
  return (
    <div className="card flex items-center gap-3 px-4 py-3">
      <div className="min-w-0 flex-1">
        <div className="flex justify-between gap-3 text-[0.93rem]">
          <span className="truncate font-medium">{file.name}</span>
          <span className={cx('shrink-0 tabular-nums', state === 'waiting' ? 'text-danger' : 'text-ink-3')}>
            {doing}
          </span>
        </div>
        <div
          role="progressbar"
          aria-label={`Uploading ${file.name}`}
          aria-valuenow={percent}
          aria-valuetext={doing}
          className="mt-2 h-1.5 overflow-hidden rounded-full bg-sunken"
        >
          <div
            className={cx(
              'h-full transition-[width]',
              state === 'sending' ? 'bg-accent' : 'bg-line-strong',
              state === 'sending' && percent === 100 && 'animate-pulse',
            )}
            style={{ width: `${percent}%` }}
          />
        </div>
      </div>
      {controls && state === 'sending' && percent < 100 && (
        <IconButton label={`Pause ${file.name}`} onClick={controls.pause}>
          <Pause aria-hidden />
        </IconButton>
      )}
      {controls && state !== 'sending' && (
        <IconButton label={`Resume ${file.name}`} onClick={controls.resume}>
          <Play aria-hidden />
        </IconButton>
      )}
      <IconButton label={`Cancel ${file.name}`} onClick={onDismiss}>
        <X aria-hidden />
      </IconButton>
    </div>
  )
}

export function UploadStatus({ upload }: { upload: Upload }) {
  if (upload.status === 'ready') return <Badge tone="ok">Ready</Badge>
  if (upload.status === 'unreadable') return <Badge tone="danger">Unreadable</Badge>
  return (
    <Badge tone="warn">
      <LoaderCircle className="animate-spin" aria-hidden /> Reading
    </Badge>
  )
}
