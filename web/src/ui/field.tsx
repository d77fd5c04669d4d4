import { useId, type ComponentProps, type ReactNode } from 'react'

import { cx } from './cx'

interface Labelled {
  label: ReactNode
  hint?: ReactNode
  error?: string
}

interface FieldProps extends Labelled {
  children: (ids: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean }) => ReactNode
  className?: string
}

/** A label, an input, and what there is to say about it, tied together for a screen reader. */
export function Field({ label, hint, error, children, className }: FieldProps) {
  const id = useId()
  const note = error ?? hint
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-[0.93rem] font-medium">
        {label}
      </label>
      {children({ id, 'aria-describedby': note ? `${id}-note` : undefined, 'aria-invalid': Boolean(error) })}
      {note && (
        <p id={`${id}-note`} className={cx('mt-1.5 text-[0.87rem]', error ? 'text-danger' : 'text-ink-3')}>
          {note}
        </p>
      )}
    </div>
  )
}

export function TextField({ label, hint, error, className, ...rest }: Labelled & ComponentProps<'input'>) {
  return (
    <Field label={label} hint={hint} error={error} className={className}>
      {(ids) => <input {...rest} {...ids} className="control" />}
    </Field>
  )
}

export function TextArea({ label, hint, error, className, ...rest }: Labelled & ComponentProps<'textarea'>) {
  return (
    <Field label={label} hint={hint} error={error} className={className}>
      {(ids) => <textarea {...rest} {...ids} className="control resize-y" />}
    </Field>
  )
}

export function SelectField({ label, hint, error, className, children, ...rest }: Labelled & ComponentProps<'select'>) {
  return (
    <Field label={label} hint={hint} error={error} className={className}>
      {(ids) => (
        <select {...rest} {...ids} className="control">
          {children}
        </select>
      )}
    </Field>
  )
}
