import { formValues } from '@/features/auth/session'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { TextField } from '@/ui/field'

/** Asks for a name. */
export function NameDialog({
  open,
  title,
  description,
  initial,
  submit,
  onClose,
  onSubmit,
}: {
  open: boolean
  title: string
  description?: string
  initial: string
  submit: string
  onClose: () => void
  onSubmit: (name: string) => void
}) {
  return (
    <Dialog open={open} onOpenChange={(next) => !next && onClose()} title={title} description={description}>
      <form
        className="space-y-4"
        onSubmit={(e) => {
          e.preventDefault()
          const name = formValues(e.currentTarget, 'name').name.trim()
          if (name) onSubmit(name)
        }}
      >
        <TextField
          label="Name"
          name="name"
          defaultValue={initial}
          placeholder="Work laptop"
          required
          maxLength={100}
          autoFocus
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary">
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
