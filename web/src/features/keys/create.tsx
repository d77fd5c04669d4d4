import { useMutation } from '@tanstack/react-query'

import { api, isApiError, keys, queryClient, type NewApiKey, type Scope } from '@/api'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { ErrorNotice } from '@/ui/feedback'
import { SelectField, TextField } from '@/ui/field'

import { expiry, LIFETIMES, SCOPES } from './scopes'

interface Props {
  open: boolean
  onOpenChange: (open: boolean) => void
  onMade: (key: NewApiKey) => void
}

export function CreateKey({ open, onOpenChange, onMade }: Props) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="New API key"
      description="It acts as you, in this organisation only, and may do what you tick."
    >
      <Form
        onCancel={() => onOpenChange(false)}
        onMade={(key) => {
          onOpenChange(false)
          onMade(key)
        }}
      />
    </Dialog>
  )
}

function Form({ onCancel, onMade }: { onCancel: () => void; onMade: (key: NewApiKey) => void }) {
  const create = useMutation({
    mutationFn: api.createApiKey,
    onSuccess: async (key) => {
      onMade(key)
      await queryClient.invalidateQueries({ queryKey: keys.apiKeys() })
    },
  })
  const wrong = (name: string) => (isApiError(create.error) ? create.error.field(name) : undefined)
  const scopesWrong = wrong('scopes') && 'Tick at least one thing that the key may do.'
  return (
    <form
      className="space-y-4"
      onSubmit={(e) => {
        e.preventDefault()
        const data = new FormData(e.currentTarget)
        create.mutate({
          name: String(data.get('name')).trim(),
          scopes: data.getAll('scope').map(String) as Scope[],
          expires_at: expiry(String(data.get('lifetime'))),
        })
      }}
    >
      {create.error && !wrong('name') && !scopesWrong && <ErrorNotice error={create.error} />}
      <TextField
        label="Name"
        name="name"
        required
        maxLength={100}
        autoFocus
        placeholder="Nightly report"
        error={wrong('name')}
      />
      <fieldset>
        <legend className="mb-1.5 text-[0.93rem] font-medium">What it may do</legend>
        <div className="grid gap-x-4 sm:grid-cols-2">
          {SCOPES.map(([scope, meaning]) => (
            <label key={scope} className="flex items-start gap-2.5 rounded-md px-1 py-1.5 hover:bg-sunken">
              <input type="checkbox" name="scope" value={scope} className="mt-1 size-4 shrink-0 accent-accent" />
              <span className="min-w-0">
                {meaning}
                <code className="block text-[0.8rem] text-ink-3">{scope}</code>
              </span>
            </label>
          ))}
        </div>
        {scopesWrong && (
          <p role="alert" className="mt-1 text-[0.87rem] text-danger">
            {scopesWrong}
          </p>
        )}
      </fieldset>
      <SelectField label="Valid for" name="lifetime" defaultValue="90">
        {LIFETIMES.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </SelectField>
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={create.isPending}>
          Make key
        </Button>
      </div>
    </form>
  )
}
