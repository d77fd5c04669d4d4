import { useMutation } from '@tanstack/react-query'
import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react'
import { useRef } from 'react'

import { api, type Verdict } from '@/api'
import { Button } from '@/ui/button'
import { ErrorNotice } from '@/ui/feedback'
import { ago } from '@/ui/format'

/** Anyone who holds a file can ask whether it is one of ours, unchanged. */
export function VerifyFile() {
  const picker = useRef<HTMLInputElement>(null)
  const verify = useMutation({ mutationFn: api.verifyExport })
  return (
    <section aria-labelledby="verify" className="relative border-t border-line pt-4">
      <h3 id="verify" className="font-semibold">
        Check a file
      </h3>
      <p className="mt-1 text-[0.93rem] text-ink-3">Is it an export of your organisation, to the last byte?</p>
      <Button size="sm" className="mt-2.5" busy={verify.isPending} onClick={() => picker.current?.click()}>
        Choose a file
      </Button>
      <input
        ref={picker}
        type="file"
        className="sr-only"
        tabIndex={-1}
        aria-label="File to check"
        onChange={(e) => {
          const file = e.target.files?.[0]
          e.target.value = ''
          if (file) verify.mutate(file)
        }}
      />
      <div className="mt-2.5" role="status">
        {verify.data && <Result verdict={verify.data} name={verify.variables.name} />}
      </div>
      {verify.error && <ErrorNotice error={verify.error} />}
    </section>
  )
}

function Result({ verdict, name }: { verdict: Verdict; name: string }) {
  const { export: found, altered_from: altered } = verdict
  if (found)
    return (
      <p className="flex gap-2 text-ok">
        <CircleCheck className="mt-0.5 size-5 shrink-0" aria-hidden />
        {`${name} is unchanged: the export of revision ${found.proposal_revision}, made ${ago(found.created_at)}.`}
      </p>
    )
  if (altered)
    return (
      <p className="flex gap-2 text-danger">
        <TriangleAlert className="mt-0.5 size-5 shrink-0" aria-hidden />
        {`${name} was changed after it was exported. It came from revision ${altered.proposal_revision}, made ${ago(altered.created_at)}.`}
      </p>
    )
  return (
    <p className="flex gap-2 text-ink-2">
      <CircleX className="mt-0.5 size-5 shrink-0" aria-hidden />
      {`${name} is no export of your organisation, or was changed since.`}
    </p>
  )
}
