// Takes pictures of the pages of the dashboard, of a broker at work: `npm run pictures [DIR] [PAGE…]`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { findChromium, launch } from './browser.ts';
import { makeStage } from './stage.ts';

interface Shot {
  readonly name: string;
  readonly hash: string;
  readonly width?: number;
  readonly height?: number;
  readonly isDark?: boolean;
}

const narrow = { width: 360, height: 740 };

const shots: readonly Shot[] = [
  { name: 'overview', hash: '#/' },
  { name: 'overview-dark', hash: '#/', isDark: true },
  { name: 'overview-narrow', hash: '#/', ...narrow },
  { name: 'topics', hash: '#/topics?sort=backlog' },
  { name: 'topic', hash: '#/topics/orders' },
  { name: 'topic-narrow', hash: '#/topics/orders', ...narrow },
  { name: 'group', hash: '#/topics/orders/billing' },
  { name: 'messages', hash: '#/messages/orders?path=customer.name%3Dada', height: 480 },
  { name: 'message', hash: '#/messages/orders/0/10', isDark: true },
  { name: 'delayed', hash: '#/messages/emails/delayed' },
  { name: 'dead-letters', hash: '#/dead-letters/orders-failed', height: 520 },
  { name: 'connections', hash: '#/connections' },
  { name: 'schedules', hash: '#/schedules' },
  { name: 'server', hash: '#/settings' },
  { name: 'settings', hash: '#/settings?set=true', height: 1400 },
  { name: 'overview-4k', hash: '#/', width: 3840, height: 2160 },
];

const [directory = 'docs/pictures', ...only] = process.argv.slice(2);
const chromium = await findChromium();
if (chromium === undefined) throw new Error('there is no Chromium: install one, or name it in CHROMIUM');
await using stage = await makeStage();
const seconds = Number(process.env['PLAY_SECONDS'] ?? 60);
for (let second = 0; second < seconds; second++) {
  for (let turn = 0; turn < 2 + Math.round(Math.sin(second / 6) + 1); turn++) await stage.play();
  await sleep(1000);
}
await mkdir(directory, { recursive: true });
const browser = await launch(chromium);
const done = new AbortController();
const playing = (async (): Promise<void> => {
  while (!done.signal.aborted) {
    await stage.play();
    await sleep(400);
  }
})();
try {
  for (const shot of shots) if (only.length === 0 || only.includes(shot.name)) await take(browser, shot);
} finally {
  done.abort();
  await playing;
  await browser.close();
}

async function take(
  browser: Browser,
  { name, hash, width = 1280, height = 720, isDark = false }: Shot,
): Promise<void> {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: isDark ? 'dark' : 'light',
  });
  page.on('console', (message) => console.error(`${name}: ${message.text()}`));
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  await page.goto(`${stage.address}/${hash}`);
  await page
    .locator('main[data-ready]')
    .waitFor({ timeout: 10_000 })
    .catch(() => {});
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(directory, `${name}.png`) });
  await page.close();
}
