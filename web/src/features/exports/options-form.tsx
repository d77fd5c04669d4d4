import { ChevronRight } from 'lucide-react'

import { Button } from '@/ui/button'
import { SelectField, TextField } from '@/ui/field'
import { plural } from '@/ui/format'

import { changed, DEFAULTS, type Options } from './options'

interface FormProps {
  options: Options
  onChange: (options: Options) => void
}

/** A funder's layout and what else a file may have; closed until somebody wants it. */
export function OptionsForm({ options, onChange }: FormProps) {
  const set = (part: Partial<Options>) => onChange({ ...options, ...part })
  const count = changed(options)
  return (
    <details className="group card px-4 py-3">
      <summary className="flex cursor-pointer list-none items-center gap-2 font-semibold">
        <ChevronRight className="size-4 transition-transform group-open:rotate-90" aria-hidden />
        Layout and options
        <span className="ml-auto text-[0.87rem] font-normal text-ink-3">
          {count ? `${plural(count, 'change')}` : 'Standard'}
        </span>
      </summary>
      <div className="mt-4 grid grid-cols-1 gap-4 sm:grid-cols-2">
        <SelectField
          label="Paper"
          value={options.paper}
          onChange={(e) => set({ paper: e.target.value as Options['paper'] })}
        >
          <option value="">Standard (A4)</option>
          <option value="a4">A4</option>
          <option value="letter">US Letter</option>
        </SelectField>
        <SelectField
          label="Font"
          value={options.font}
          onChange={(e) => set({ font: e.target.value as Options['font'] })}
        >
          <option value="">Standard</option>
          <option value="sans">Noto Sans</option>
          <option value="arial">Arial</option>
          <option value="serif">Times New Roman</option>
        </SelectField>
        <NumberField
          label="Margins (mm)"
          min={10}
          max={50}
          step="any"
          value={options.margin}
          onValue={(margin) => set({ margin })}
        />
        <NumberField
          label="Letter size (pt)"
          min={8}
          max={16}
          step={0.5}
          value={options.size}
          onValue={(size) => set({ size })}
        />
        <NumberField
          label="Line spacing"
          min={1}
          max={2}
          step="any"
          value={options.spacing}
          onValue={(spacing) => set({ spacing })}
          hint="1 is single"
        />
        <NumberField
          label="Page limit"
          min={1}
          max={1000}
          step={1}
          value={options.pageLimit}
          onValue={(pageLimit) => set({ pageLimit })}
          hint="The PDF says whether it keeps to it"
        />
        <SelectField
          label="Language of the text"
          value={options.language}
          onChange={(e) => set({ language: e.target.value })}
        >
          <option value="">English</option>
          {LANGUAGES.map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </SelectField>
      </div>
      <div className="mt-4 space-y-2">
        <Choice label="Cover page" checked={options.cover} onChange={(cover) => set({ cover })} />
        <Choice label="Table of contents" checked={options.contents} onChange={(contents) => set({ contents })} />
        <Choice
          label="Chapter on the use of AI"
          hint="Says which sections a model drafted"
          checked={options.disclosure}
          onChange={(disclosure) => set({ disclosure })}
        />
        <Choice
          label="Word: Bidwright’s template instead of ours"
          checked={options.standardTemplate}
          onChange={(standardTemplate) => set({ standardTemplate })}
        />
      </div>
      {count > 0 && (
        <Button size="sm" variant="ghost" className="mt-3" onClick={() => onChange(DEFAULTS)}>
          Back to standard
        </Button>
      )}
    </details>
  )
}

const LANGUAGES = [
  ['ar', 'Arabic'],
  ['zh', 'Chinese'],
  ['fr', 'French'],
  ['de', 'German'],
  ['he', 'Hebrew'],
  ['it', 'Italian'],
  ['ja', 'Japanese'],
  ['pt', 'Portuguese'],
  ['es', 'Spanish'],
] as const

interface NumberProps {
  label: string
  hint?: string
  min: number
  max: number
  step: number | 'any'
  value: string
  onValue: (value: string) => void
}

function NumberField({ label, hint, min, max, step, value, onValue }: NumberProps) {
  const number = Number(value)
  const wrong = value.trim() !== '' && !(number >= min && number <= max)
  return (
    <TextField
      type="number"
      inputMode="decimal"
      label={label}
      hint={hint}
      error={wrong ? `From ${min} to ${max}` : undefined}
      placeholder="Standard"
      min={min}
      max={max}
      step={step}
      value={value}
      onChange={(e) => onValue(e.target.value)}
    />
  )
}

interface ChoiceProps {
  label: string
  hint?: string
  checked: boolean
  onChange: (checked: boolean) => void
}

function Choice({ label, hint, checked, onChange }: ChoiceProps) {
  return (
    <label className="flex items-start gap-2.5">
      <input
        type="checkbox"
        className="mt-1 size-4 shrink-0 accent-accent"
        checked={checked}
        onChange={(e) => onChange(e.target.checked)}
      />
      <span>
        {label}
        {hint && <span className="block text-[0.87rem] text-ink-3">{hint}</span>}
      </span>
    </label>
  )
}
