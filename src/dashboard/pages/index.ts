import { connectionsPage } from './connections.tsx';
import { deadLettersPage } from './dead-letters.tsx';
import { messagesPage } from './messages.tsx';
import { overviewPage } from './overview.tsx';
import type { Page } from './page.ts';
import { schedulesPage } from './schedules.tsx';
import { settingsPage } from './settings.tsx';
import { topicsPage } from './topics.tsx';

/** In the order of the navigation. */
export const pages: readonly Page[] = [
  overviewPage,
  topicsPage,
  messagesPage,
  deadLettersPage,
  connectionsPage,
  schedulesPage,
  settingsPage,
];

export function pageOf(name: string): Page {
  return pages.find((page) => page.name === name) ?? overviewPage;
}
