import { useMutation, useQuery } from '@tanstack/react-query'

import { discardUnfinished, keys, queryClient, unfinishedUploads } from '@/api'
import { Button } from '@/ui/button'
import { toast } from '@/ui/toast'

import type { Transfer } from './use-upload'

/** What was left half-way, in an earlier visit: a page cannot open a file by itself, so its person has to choose it again. */
export function UnfinishedUploads({ underWay }: { underWay: Transfer[] }) {
  const queryKey = [...keys.uploads(), 'unfinished']
  const found = useQuery({ queryKey, queryFn: unfinishedUploads, staleTime: 0 })
  const discard = useMutation({
    mutationFn: discardUnfinished,
    onError: toast.error,
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  })
  const left = (found.data ?? []).filter(({ filename }) => !underWay.some(({ file }) => file.name === filename))
  if (left.length === 0) return null
  return (
    <ul className="card mt-4 divide-y divide-line" aria-label="Unfinished uploads">
      {left.map((one) => (
        <li key={one.key} className="flex items-center gap-3 px-4 py-3">
          <div className="min-w-0 flex-1 text-[0.93rem]">
            <p className="truncate font-medium">{one.filename}</p>
            <p className="text-ink-3">Not finished. Choose the file again, and it goes on where it stopped.</p>
          </div>
          <Button
            size="sm"
            aria-label={`Discard ${one.filename}`}
            busy={discard.isPending && discard.variables.key === one.key}
            onClick={() => discard.mutate(one)}
          >
            Discard
          </Button>
        </li>
      ))}
    </ul>
  )
}
