import { useCallback, useEffect, useRef, useState } from 'react'

import { keys, queryClient, uploadFile, usageQuery, type Pausable, type SendingState, type Upload } from '@/api'

export interface Transfer {
  key: number
  file: File
  /** 0 to 1; 1 when the bytes are sent and the server checks them. */
  progress: number
  state: SendingState
  /** Of a large file: it can be paused, and goes on after a lost connection. */
  controls?: Pausable
  error?: unknown
}

let nextKey = 1

/** Sends files and keeps what is under way, and what was refused, for the page to show. */
export function useUploads(onDone?: (upload: Upload) => void) {
  const [transfers, setTransfers] = useState<Transfer[]>([])
  const aborts = useRef(new Map<number, AbortController>())
  const done = useRef(onDone)
  useEffect(() => {
    done.current = onDone
  })

  const patch = (key: number, change: Partial<Transfer>) =>
    setTransfers((all) => all.map((t) => (t.key === key ? { ...t, ...change } : t)))

  const dismiss = useCallback((key: number) => {
    aborts.current.get(key)?.abort()
    aborts.current.delete(key)
    setTransfers((all) => all.filter((t) => t.key !== key))
  }, [])

  const send = useCallback(
    async (file: File) => {
      const key = nextKey++
      const abort = new AbortController()
      aborts.current.set(key, abort)
      setTransfers((all) => [...all, { key, file, progress: 0, state: 'sending' }])
      try {
        const upload = await uploadFile(file, {
          signal: abort.signal,
          onProgress: (progress) => patch(key, { progress }),
          onState: (state) => patch(key, { state }),
          onPausable: (controls) => patch(key, { controls }),
        })
        dismiss(key)
        await queryClient.invalidateQueries({ queryKey: keys.uploads() })
        void queryClient.invalidateQueries({ queryKey: usageQuery().queryKey })
        done.current?.(upload)
      } catch (error) {
        if (!abort.signal.aborted) patch(key, { error })
      }
    },
    [dismiss],
  )

  return { transfers, send, dismiss }
}
