import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { SessionJson } from '../../admin-api/index.ts';
import { ask, sentence } from '../api.ts';

/** Asks for a user of the broker, or for the admin token. */
export function Login({ onLogin }: { readonly onLogin: (session: SessionJson) => void }): VNode {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [byToken, setByToken] = useState(false);
  const submit = (event: Event): void => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const names = byToken ? ['token'] : ['user', 'password'];
    const body = Object.fromEntries(names.map((name) => [name, fields.get(name)]));
    setBusy(true);
    ask<SessionJson>('POST', '/api/v1/session', body).then(onLogin, (error: unknown) => {
      const isWrong = error instanceof Error && 'status' in error && error.status === 401;
      setProblem(isWrong ? `That ${byToken ? 'token' : 'name or password'} is not right.` : sentence(error));
      setBusy(false);
    });
  };
  return (
    <main class="login" id="main">
      <h1>Log in to this broker</h1>
      <form class="stack" onSubmit={submit}>
        {byToken ? (
          <label class="column">
            Token <input name="token" type="password" autocomplete="off" required />
          </label>
        ) : (
          <>
            <label class="column">
              User <input name="user" autocomplete="username" required />
            </label>
            <label class="column">
              Password <input name="password" type="password" autocomplete="current-password" required />
            </label>
          </>
        )}
        {problem !== '' && (
          <p class="error" role="alert">
            {problem}
          </p>
        )}
        <p class="row">
          <button type="submit" class="primary" disabled={isBusy}>
            Log in
          </button>
          <button type="button" class="plain" onClick={() => setByToken(!byToken)}>
            {byToken ? 'With a name and a password' : 'With a token'}
          </button>
        </p>
      </form>
    </main>
  );
}
