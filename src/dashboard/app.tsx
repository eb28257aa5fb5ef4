import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SessionJson } from '../admin-api/index.ts';
import { ask, csrf, onLoginNeeded, sentence } from './api.ts';
import { clock, zone } from './format.ts';
import { useKeys } from './keys.ts';
import { KeysDialog } from './parts/keys-dialog.tsx';
import { Login } from './pages/login.tsx';
import { pageOf, pages } from './pages/index.ts';
import { go, href, useRoute } from './route.ts';
import { useNow, useStreamState } from './stream.ts';

/** The login where one is needed, and the pages after it. */
export function App(): VNode | null {
  const [session, setSession] = useState<SessionJson>();
  const [problem, setProblem] = useState('');
  const begin = (next: SessionJson): void => {
    csrf.token = next.csrf;
    setSession(next);
  };
  useEffect(() => {
    onLoginNeeded.call = () => setSession((last) => last && { ...last, isLoggedIn: false });
    ask<SessionJson>('GET', '/api/v1/session').then(begin, (error: unknown) => setProblem(sentence(error)));
  }, []);
  if (problem !== '') return <p class="lost">{problem}</p>;
  if (!session) return null;
  return session.isLoggedIn ? <Frame session={session} onSession={begin} /> : <Login onLogin={begin} />;
}

interface FrameProps {
  readonly session: SessionJson;
  readonly onSession: (session: SessionJson) => void;
}

/** The frame of all pages: where one is, the search, and whether the figures are fresh. */
function Frame({ session, onSession }: FrameProps): VNode {
  const route = useRoute();
  const [showsKeys, setShowsKeys] = useState(false);
  useKeys({ help: () => setShowsKeys(true) });
  const [first = ''] = route.path;
  const page = pageOf(first);
  useEffect(() => {
    document.title = [...route.path.slice(1), page.title, 'Pillarbox'].join(' · ');
  });
  const Page = page.view;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => focusMain(event)}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={href([])}>
          pillarbox
        </a>
        <nav aria-label="Pages">
          {pages.map(({ name, title }) => (
            <a
              key={name}
              href={href(name === '' ? [] : [name])}
              {...(page.name === name ? { 'aria-current': 'page' } : {})}
            >
              {title}
            </a>
          ))}
        </nav>
        <Search key={first} />
        <State />
        <User session={session} onSession={onSession} />
      </header>
      <Lost />
      <main id="main" tabIndex={-1}>
        <Page key={route.path.join('/')} route={route} />
      </main>
      {showsKeys && <KeysDialog onClose={() => setShowsKeys(false)} />}
    </>
  );
}

function focusMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** Searches topics by their names, their subjects and their groups. */
function Search(): VNode {
  const { path, query } = useRoute();
  const isList = path.length === 1 && path[0] === 'topics';
  const search = (text: string): void =>
    go(href(['topics'], { ...(isList ? Object.fromEntries(query) : {}), search: text, skip: undefined }), {
      replace: isList,
    });
  return (
    <form class="search" role="search" onSubmit={(event) => event.preventDefault()}>
      <input
        id="search"
        type="search"
        aria-label="Search topics and groups"
        placeholder="/ search topics and groups"
        value={isList ? (query.get('search') ?? '') : ''}
        onInput={({ currentTarget: { value } }) => {
          if (isList || value !== '') search(value);
        }}
      />
    </form>
  );
}

function State(): VNode {
  const { isLive } = useStreamState();
  const now = useNow();
  return (
    <div class="state">
      <span class={isLive ? 'ok' : 'error'} role="status">
        {isLive ? '● live' : '○ lost'}
      </span>
      <span class="clock muted" title={`The clock of this browser, ${zone(new Date(now))}`}>
        {clock(now, now)} {zone(new Date(now))}
      </span>
    </div>
  );
}

/** Who is logged in, and the way out. */
function User({ session: { needsLogin, user }, onSession }: FrameProps): VNode | null {
  if (!needsLogin) return null;
  const leave = (): void => void ask<SessionJson>('DELETE', '/api/v1/session').then(onSession, () => {});
  return (
    <span class="row">
      <span class="muted">{user ?? 'admin token'}</span>
      <button type="button" class="plain" onClick={leave}>
        Log out
      </button>
    </span>
  );
}

function Lost(): VNode | null {
  const { isLive, spokenMs } = useStreamState();
  const now = useNow();
  if (isLive) return null;
  return (
    <p class="lost" role="alert">
      The connection to the broker is lost; these figures are of {clock(spokenMs, now)}. It is tried again by
      itself.
    </p>
  );
}
