import { type FormEvent, useState } from 'react';
import { type Api, ApiProblem } from '#console/api.ts';

type Props = { api: Api; service: string; asked: (id: string) => void };

/** Asks for an erasure. The id is typed twice: what is destroyed here comes back from nowhere. */
export function Ask({ api, service, asked }: Props) {
  const [value, setValue] = useState('');
  const [again, setAgain] = useState('');
  const [kind, setKind] = useState<'user' | 'anonymous'>('user');
  const [refused, setRefused] = useState('');
  const ready = value !== '' && value === again;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setRefused('');
    try {
      const { id } = await api.erase(service, { kind, value });
      setValue('');
      setAgain('');
      asked(id);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setRefused([error.title, error.detail].filter(Boolean).join(': '));
    }
  }

  return (
    <form className="erase" onSubmit={submit}>
      <h2>Erase a person</h2>
      <p className="muted">
        Hides them at once, destroys their key, deletes their rows in every store, searches the disk
        for what is left, and signs a certificate of it.
      </p>
      <p className="erase-fields">
        <label>
          Known by
          <select
            value={kind}
            onChange={(event) => setKind(event.target.value as 'user' | 'anonymous')}
          >
            <option value="user">userId</option>
            <option value="anonymous">anonymousId</option>
          </select>
        </label>
        <IdField label="Id" value={value} change={setValue} />
        <IdField label="The same again" value={again} change={setAgain} />
        <button type="submit" disabled={!ready}>
          Erase
        </button>
      </p>
      <p role="status" className="state-broken">
        {refused}
      </p>
    </form>
  );
}

type FieldProps = { label: string; value: string; change: (value: string) => void };

const IdField = ({ label, value, change }: FieldProps) => (
  <label>
    {label}
    <input
      value={value}
      onChange={(event) => change(event.target.value)}
      autoComplete="off"
      spellCheck={false}
    />
  </label>
);
