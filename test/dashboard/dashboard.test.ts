import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { eventually } from '../support/index.ts';
import { findChromium, launch } from './browser.ts';
import { makeStage, type Stage } from './stage.ts';

const chromium = await findChromium();
const skip = chromium === undefined ? 'there is no Chromium (CHROMIUM, or on the path)' : false;

const user = { name: 'ada', password: 'correct horse' };

let stage: Stage;
let browser: Browser;
let page: Page;
/** What the page complained about. */
const complaints: string[] = [];

if (chromium !== undefined) {
  before(async () => {
    stage = await makeStage();
    browser = await launch(chromium);
    page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => void dialog.dismiss().then(() => complaints.push(dialog.message())));
  });
  after(async () => {
    await browser.close();
    await stage[Symbol.asyncDispose]();
  });
}

async function open(hash: string): Promise<void> {
  await page.goto(`${stage.address}/${hash}`);
  await page.locator('main > *').first().waitFor();
}

const topic = (name: string): NonNullable<ReturnType<Stage['server']['broker']['topic']>> =>
  stage.server.broker.topic(name)!;

/** Opens a dialog by its button, fills it in, and waits until it is gone. */
async function confirm(button: string, action: string, typed?: string): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).first().click();
  const dialog = page.locator('dialog[open]');
  if (typed !== undefined) {
    assert.ok(await dialog.getByRole('button', { name: action, exact: true }).isDisabled());
    await dialog.getByLabel('to confirm').fill(typed);
  }
  await dialog.getByRole('button', { name: action, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

test('the overview says what is wrong and leads there', { skip }, async () => {
  await open('');
  await page.getByText(/reports of orders has no consumer/).waitFor();
  await page.getByRole('link', { name: 'orders', exact: true }).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('h1', { hasText: /^\w/ }).waitFor();
  assert.match(page.url(), /#\/topics\/\w+$/);
});

test('topics are searched with the keyboard, and the search is in the address', { skip }, async () => {
  await open('#/topics');
  await page.keyboard.press('/');
  await page.keyboard.type('ledger');
  await page.getByText('1 of 5 topics match').waitFor({ timeout: 20_000 });
  assert.match(page.url(), /search=ledger/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
});

test('a group is paused, resumed and limited', { skip }, async () => {
  await open('#/topics/orders/reports');
  const group = topic('orders').groups.get('reports')!;
  await confirm('Pause…', 'Pause');
  assert.equal(group.isPaused, true);
  await page.getByText('‖ paused').waitFor();
  await confirm('Resume…', 'Resume');
  assert.equal(group.isPaused, false);
  await page.getByRole('button', { name: 'Limits…' }).click();
  await page.getByLabel('Messages per second').fill('25');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await page.getByText('25/s at most').waitFor();
  assert.equal(group.config.rate?.perSecond, 25);
});

test('a seek says what will be seen again before it moves the group', { skip }, async () => {
  const group = topic('orders').groups.get('shipping')!;
  await eventually(() => group.info().cursor > 0, { message: 'deliveries' });
  await open('#/topics/orders/shipping');
  await page.getByRole('button', { name: 'Seek…' }).click();
  await page.getByLabel('Continue at').selectOption('all');
  await page.getByText(/\d+ messages will be seen again/).waitFor();
  await page.getByLabel('to confirm').fill('shipping');
  await page.getByRole('button', { name: 'Move the group' }).click();
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
});

test('what is typed into a search stays while the page is drawn anew', { skip }, async () => {
  let goOn = (): void => undefined;
  const typed = new Promise<void>((resolve) => (goOn = resolve));
  const messages = '**/topics/orders/messages?*';
  await page.route(messages, async (route) => {
    await typed;
    await route.continue();
  });
  await open('#/messages/orders');
  await page.getByLabel('JSON path').fill('order=10');
  goOn();
  await page.getByText(/\d+ messages, the newest first/).waitFor();
  assert.equal(await page.getByLabel('JSON path').inputValue(), 'order=10');
  await page.unroute(messages);
});

test('a message is found by a JSON path, and hostile content stays text', { skip }, async () => {
  await open('#/messages/orders');
  await page.getByLabel('JSON path').fill('order=10');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText('1 message, the newest first').waitFor();
  await page.getByRole('link', { name: '9', exact: true }).click();
  await page.getByText('<img src=x onerror=').waitFor();
  assert.equal(await page.locator('main img').count(), 0);
  await page.getByRole('button', { name: 'Hex' }).click();
  await page.getByText('00000000  7b 22 6f 72').waitFor();
  await page.getByText('not delivered yet').first().waitFor();
});

test('a message is cloned and edited', { skip }, async () => {
  const before = topic('orders').durableCount;
  await open('#/messages/orders/0/0');
  await page.getByRole('button', { name: 'Clone…' }).click();
  await page.getByRole('textbox', { name: 'Value', exact: true }).fill('{"order":"again"}');
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  assert.equal(topic('orders').durableCount, before + 1);
});

test('dead letters are redriven by cause', { skip }, async () => {
  for (let turn = 0; turn < 200 && (topic('orders-failed')?.durableCount ?? 0) < 2; turn++)
    await stage.play();
  await open('#/dead-letters/orders-failed');
  await page
    .getByRole('cell', { name: /card declined/ })
    .first()
    .waitFor();
  const letters = topic('orders-failed');
  const before = letters.durableCount;
  await page
    .getByRole('row', { name: /card declined/ })
    .first()
    .getByRole('button', { name: 'Redrive…' })
    .click();
  await page
    .locator('dialog[open]')
    .getByText(/back to where they came from/)
    .waitFor();
  await page.locator('dialog[open]').getByRole('button', { name: 'Redrive', exact: true }).click();
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  assert.ok(letters.durableCount < before);
});

test('dead letters are redriven at a rate', { skip }, async () => {
  const letters = topic('orders-failed');
  for (let turn = 0; turn < 200 && letters.durableCount < 2; turn++) await stage.play();
  await open('#/dead-letters/orders-failed');
  const before = letters.durableCount;
  await page.getByRole('button', { name: 'Redrive all…' }).click();
  const dialog = page.locator('dialog[open]');
  // The page may have counted before the last of them died.
  const going = Number.parseInt(await dialog.locator('strong').innerText(), 10);
  await dialog.getByLabel('At most per second').fill(String(Math.ceil(going / 2)));
  await dialog.getByRole('button', { name: 'Redrive', exact: true }).click();
  await dialog.getByText(`${Math.ceil(going / 2)} of ${going} messages went back.`).waitFor();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(letters.durableCount, before - going);
});

test('delayed messages are moved, published now and cancelled', { skip }, async () => {
  await open('#/messages/emails/delayed');
  await page.getByRole('cell', { name: 'Your trial ends tomorrow.' }).waitFor();
  await page.getByRole('button', { name: 'Move…' }).first().click();
  const dialog = page.locator('dialog[open]');
  const inFiveDays = Date.now() + 5 * 86_400_000;
  await dialog.getByLabel('New time').fill(new Date(inFiveDays).toISOString().slice(0, 19));
  await dialog.getByText(/enters the topic in 5 days/).waitFor();
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: '5 days' }).waitFor();
  await confirm('Publish now…', 'Publish');
  await page.getByRole('cell', { name: 'Your trial ends tomorrow.' }).waitFor({ state: 'detached' });
  const left = await fetch(`${stage.address}/api/v1/topics/emails/delayed`);
  const [{ id } = { id: 0 }] = ((await left.json()) as { messages: { id: number }[] }).messages;
  await confirm('Cancel…', 'Cancel the message', String(id));
  await page.getByText('No message of this topic waits for its time.').waitFor();
});

test('a schedule runs, and a connection is closed', { skip }, async () => {
  await open('#/schedules');
  const before = topic('audit').durableCount;
  await confirm('Run now…', 'Publish');
  assert.equal(topic('audit').durableCount, before + 1);
  await open('#/connections');
  await page.getByRole('row', { name: /admin/ }).first().waitFor();
});

test('a schedule is changed in place, and one is made', { skip }, async () => {
  await open('#/schedules');
  const runs = stage.server.broker.schedules.get('heartbeat')!.state.runs;
  await page
    .getByRole('row', { name: /heartbeat/ })
    .getByRole('button', { name: 'Edit…' })
    .click();
  const dialog = page.locator('dialog[open]');
  assert.ok(await dialog.getByLabel('Name').isDisabled());
  await dialog.getByLabel('Every so many seconds').fill('30');
  await dialog.getByRole('button', { name: 'Change', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('row', { name: /heartbeat audit every 30 s/ }).waitFor();
  const { config, state } = stage.server.broker.schedules.get('heartbeat')!;
  assert.deepEqual([config.everyMs, config.message.value, state.runs], [30_000, 'tick', runs]);
  await page.getByRole('button', { name: 'New schedule…' }).click();
  await dialog.getByLabel('Name').fill('weekly');
  await dialog.getByLabel('Topic').fill('audit');
  await dialog.getByLabel('Cron expression').fill('not cron');
  await dialog.getByRole('button', { name: 'Define', exact: true }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Cron expression').fill('0 6 * * 1');
  await dialog.getByRole('button', { name: 'Define', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('row', { name: /weekly audit 0 6 \* \* 1/ }).waitFor();
  complaints.length = 0; // the browser logs the refusal
});

test('every setting is there with its source', { skip }, async () => {
  await open('#/settings');
  await page.getByRole('row', { name: /^nats-port 0 program/ }).waitFor();
  await page.getByLabel('Find').fill('history');
  await page.getByRole('row', { name: /^history-step 1s program/ }).waitFor();
  await page.getByRole('row', { name: /^history-max 2000 default/ }).waitFor();
  await page.getByLabel('Only those that are set').check();
  await page.getByRole('row', { name: /^history-max/ }).waitFor({ state: 'detached' });
  assert.match(page.url(), /setting=history&set=true/);
});

test('the limits of a topic are edited in place', { skip }, async () => {
  await open('#/topics/audit');
  await page.getByRole('button', { name: 'Limits…' }).click();
  await page.getByLabel('Messages at most').fill('500');
  await page.getByLabel('When full').selectOption('reject');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  assert.deepEqual([topic('audit').config.messagesMax, topic('audit').config.overflow], [500, 'reject']);
});

test('a topic is purged and deleted only when its name is typed', { skip }, async () => {
  await open('#/topics/audit');
  await confirm('Purge…', 'Purge', 'audit');
  assert.equal(topic('audit').durableCount, 0);
  await confirm('Delete…', 'Delete', 'audit');
  assert.equal(stage.server.broker.topic('audit'), undefined);
});

test('a lost connection shows at once, and heals by itself', { skip }, async () => {
  await open('');
  await page.getByText('● live').waitFor();
  await page.context().setOffline(true);
  const isLost = page.getByText('The connection to the broker is lost');
  await eventually(
    async () => {
      for (const { id, protocol } of await connections().catch(() => []))
        if (protocol === 'admin')
          await fetch(`${stage.address}/api/v1/connections/${id}`, { method: 'DELETE' }).catch(() => {});
      return isLost.isVisible();
    },
    { message: 'the page to say that it is cut off' },
  );
  await page.context().setOffline(false);
  await page.getByText('● live').waitFor();
  complaints.length = 0; // the browser logs each failed try
});

async function connections(): Promise<{ id: number; protocol: string }[]> {
  const response = await fetch(`${stage.address}/api/v1/connections`);
  return ((await response.json()) as { connections: { id: number; protocol: string }[] }).connections;
}

test('no page has a serious finding of axe, in light and dark, wide and narrow', { skip }, async () => {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const found: string[] = [];
  const hashes = [
    '',
    '#/topics',
    '#/topics/orders',
    '#/topics/orders/billing',
    '#/messages',
    '#/messages/orders',
  ];
  hashes.push('#/messages/orders/0/9', '#/dead-letters', '#/dead-letters/orders-failed', '#/connections');
  hashes.push('#/schedules', '#/settings');
  for (const [at, hash] of hashes.entries()) {
    await page.emulateMedia({ colorScheme: at % 2 === 0 ? 'light' : 'dark' });
    await page.setViewportSize(at % 3 === 0 ? { width: 360, height: 740 } : { width: 1280, height: 720 });
    await open(hash);
    // Evaluated by the browser itself: the page's policy allows no script but its own.
    const serious = await page.evaluate(`${axe};
      axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html).join(' ').slice(0, 300)))`);
    for (const finding of serious as string[]) found.push(`${hash}: ${finding}`);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  for (const hash of hashes) {
    await open(hash);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    if (Number(overflow) > 0) found.push(`${hash}: wider than its window by ${String(overflow)} px`);
  }
  assert.deepEqual(found, []);
});

test('the pages complained about nothing', { skip }, () => {
  assert.deepEqual(complaints, []);
});

test('with users there is a login, and a way out', { skip }, async () => {
  await using guarded = await makeStage({ users: [user] }, user);
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.goto(guarded.address);
  await page.getByLabel('User').fill(user.name);
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('That name or password is not right.').waitFor();
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('link', { name: 'orders', exact: true }).waitFor();
  await page.goto(`${guarded.address}/#/topics/orders/reports`);
  await confirm('Pause…', 'Pause');
  assert.equal(guarded.server.broker.topic('orders')?.groups.get('reports')?.isPaused, true);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in to this broker' }).waitFor();
});
