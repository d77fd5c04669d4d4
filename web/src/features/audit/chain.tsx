import { useMutation } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'

import { api, type ChainCheck } from '@/api'
import { Button } from '@/ui/button'
import { ErrorNotice, Notice } from '@/ui/feedback'
import { number, plural } from '@/ui/format'

/** Whether any entry was altered, taken out or put in: each carries the hash of the one before. */
export function useChainCheck() {
  const check = useMutation({ mutationFn: api.checkAudit })
  const button = (
    <Button busy={check.isPending} onClick={() => check.mutate()}>
      <ShieldCheck aria-hidden /> Check the chain
    </Button>
  )
  const result = (
    <>
      {check.error && <ErrorNotice error={check.error} onRetry={() => check.mutate()} />}
      {check.data && <Result found={check.data} />}
    </>
  )
  return { button, result, shown: Boolean(check.error ?? check.data) }
}

function Result({ found }: { found: ChainCheck }) {
  if (!found.intact) {
    return (
      <Notice tone="danger" role="alert" title="The chain is broken">
        An entry was altered, or one before it is missing. The first that does not fit:{' '}
        <code className="break-all">{found.first_bad_id ?? 'unknown'}</code>. Keep an export, and tell whoever runs this
        Bidwright.
      </Notice>
    )
  }
  return (
    <Notice tone="ok" role="status" title="The chain is intact">
      {found.rows === 1
        ? 'The one entry is as it was written.'
        : `All ${number(found.rows)} ${plural(found.rows, 'entry', 'entries').split(' ')[1]} are as they were written.`}
      {found.head && (
        <>
          {' '}
          Note the last hash to compare later: <code className="text-[0.87rem] break-all">{found.head}</code>
        </>
      )}
    </Notice>
  )
}
