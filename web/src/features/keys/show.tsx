import { Check, Copy } from 'lucide-react'
import { useRef, useState } from 'react'

import type { NewApiKey } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { Notice } from '@/ui/feedback'
import { Field } from '@/ui/field'

/** The one time that a key is shown. */
export function ShowKey({ made, onClose }: { made: NewApiKey | null; onClose: () => void }) {
  return (
    <Dialog
      open={made !== null}
      onOpenChange={(open) => !open && onClose()}
      title={made ? `${made.name} is ready` : ''}
    >
      {made && <Secret secret={made.key} onClose={onClose} />}
    </Dialog>
  )
}

function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  const input = useRef<HTMLInputElement>(null)
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret)
      setCopied(true)
    } catch {
      input.current?.select() // the clipboard is not open to us: it can be copied by hand
    }
  }
  return (
    <div className="space-y-4">
      <Notice tone="warn" title="Copy it now">
        We keep no copy: once this is closed, nobody can see the key again. Treat it like a password.
      </Notice>
      <Field label="API key">
        {(ids) => (
          <div className="flex gap-2">
            <input
              {...ids}
              ref={input}
              readOnly
              value={secret}
              className="control font-mono text-[0.9rem]"
              onFocus={(e) => e.currentTarget.select()}
            />
            <Button className="h-auto" onClick={() => void copy()}>
              {copied ? <Check aria-hidden /> : <Copy aria-hidden />} {copied ? 'Copied' : 'Copy'}
            </Button>
          </div>
        )}
      </Field>
      <p className="text-[0.93rem] text-ink-2">
        Programs send it as <code>Authorization: Bearer …</code>; see the{' '}
        <a href="/api/docs" className="font-medium text-accent-ink underline underline-offset-3">
          API documentation
        </a>
        .
      </p>
      <div className="flex justify-end">
        <Button variant="primary" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </div>
  )
}
