import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readFile, readdir, realpath, stat, symlink, unlink } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isShortage, LogError, systemCode } from './errors.ts';
import type { DirectoryLock } from './files.ts';

/*
 * A directory lock without native code. Node has no flock, so a listening Unix socket in the directory shows
 * that the owner lives. The kernel refuses connections to it as soon as its process is gone, whatever ended
 * it, and sockets found by path work across containers.
 *
 * 1. Listen on a socket with a fresh name. Answer "candidate" to every connection.
 * 2. Connect to every other lock socket in the directory. If one answers: withdraw. If it is an owner, give
 *    up; if it is a candidate, try again a little later.
 * 3. Check that the own socket's file still exists; if not, start over.
 * 4. Become the owner. Only an owner removes the files of dead processes.
 *
 * Could two processes reach 4? The one that listened first would have been seen by the other in 2, unless its
 * file was gone. Only an owner removes files, and only those that refused connections before their process
 * listened. That owner lived after the victim's step 3, so the victim's step 2, which is earlier still, would
 * have seen it. A stale file locks out no process: it refuses connections.
 */
const namePattern = /^lock\.[0-9a-f]{12}$/;
/** The path of a socket may have 104 bytes on macOS and 108 on Linux. */
const pathBytesMax = 100;
const attemptsMax = 25;
const answerWithinMs = 500;

interface Announcement {
  readonly name: string;
  readonly server: Server;
  state: 'candidate' | 'owner';
}

export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  const real = await realpath(dir);
  const inside = await shorten(real);
  try {
    return await lockPlace(inside, dir);
  } catch (error) {
    if (error instanceof LogError) throw error;
    const code = systemCode(error) ?? '';
    if (code === 'EROFS' || code === 'EACCES') {
      throw new LogError(
        'data-dir-read-only',
        `Data directory ${dir} cannot be written to (${code}). Give this user write access, or choose another.`,
        error,
      );
    }
    if (isShortage(error)) {
      throw new LogError(
        'disk-full',
        `Data directory ${dir} cannot be locked: ${(error as Error).message}. Free some space.`,
        error,
      );
    }
  } finally {
    await inside.cleanUp();
  }
  // Some folders shared with virtual machines cannot contain sockets. A place named after the directory
  // separates at least the processes of this machine.
  const name = createHash('sha256').update(real).digest('hex').slice(0, 16);
  const elsewhere = join(tmpdir(), `pillarbox-locks-${process.getuid?.() ?? 0}`, name);
  await mkdir(elsewhere, { recursive: true, mode: 0o700 });
  const outside = await shorten(elsewhere);
  try {
    return await lockPlace(outside, dir);
  } finally {
    await outside.cleanUp();
  }
}

async function lockPlace(place: SocketPlace, shown: string): Promise<DirectoryLock> {
  for (let attempt = 1; ; attempt++) {
    const mine = await announce(place.short);
    const { answer, dead } = await askOthers(place, mine.name);
    if (answer === undefined && (await exists(join(place.dir, mine.name)))) {
      mine.state = 'owner';
      for (const name of dead) await unlink(join(place.dir, name)).catch(() => {});
      return {
        scope: await scopeOf(place.dir),
        holder: `process ${process.pid} on ${hostname()}`,
        release: () => withdraw(place.dir, mine),
      };
    }
    await withdraw(place.dir, mine);
    if (answer !== undefined && (answer.state !== 'candidate' || attempt === attemptsMax)) {
      const who = answer.pid === undefined ? 'another process' : `process ${answer.pid}`;
      throw new LogError(
        'data-dir-locked',
        `Data directory ${shown} is in use by ${who}. Stop it, or choose another directory.`,
      );
    }
    await delay(5 + Math.floor(Math.random() * 40));
  }
}

/**
 * A kernel finds a socket by the inode of its file, so the lock holds for every path that leads to this inode
 * under this kernel. If the same files have another inode (on another machine, in a FUSE file system), no
 * process answers, and a refused connection proves nothing.
 */
async function scopeOf(dir: string): Promise<string> {
  const { dev, ino } = await stat(dir, { bigint: true });
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => hostname());
  return `${boot.trim()}:${dev}:${ino}`;
}

interface SocketPlace {
  /** Directory of the socket files. */
  readonly dir: string;
  /** The same directory under a name short enough for a socket's path. */
  readonly short: string;
  cleanUp(): Promise<void>;
}

async function shorten(place: string): Promise<SocketPlace> {
  if (Buffer.byteLength(join(place, 'lock.000000000000')) <= pathBytesMax) {
    return { dir: place, short: place, cleanUp: () => Promise.resolve() };
  }
  const short = join(tmpdir(), `pbx-${randomBytes(6).toString('hex')}`);
  await symlink(place, short);
  return { dir: place, short, cleanUp: () => unlink(short).catch(() => {}) };
}

async function announce(short: string): Promise<Announcement> {
  const name = `lock.${randomBytes(6).toString('hex')}`;
  const answer = (socket: Socket): void => {
    socket.on('error', () => {});
    socket.end(`${mine.state} ${process.pid}\n`, () => socket.destroy());
  };
  const server = await listening(join(short, name), answer);
  server.unref();
  const mine: Announcement = { name, server, state: 'candidate' };
  return mine;
}

/** The first of the other sockets that has a live process, and the names of those that have none. */
async function askOthers(
  place: SocketPlace,
  mine: string,
): Promise<{ answer: { state: string; pid: number | undefined } | undefined; dead: string[] }> {
  const dead: string[] = [];
  for (const name of await readdir(place.dir)) {
    if (name === mine || !namePattern.test(name)) continue;
    const answer = await ask(join(place.short, name));
    if (answer !== undefined) return { answer, dead };
    dead.push(name);
  }
  return { answer: undefined, dead };
}

/** Undefined if no process listens. Any failure but a plain refusal counts as a live process. */
function ask(path: string): Promise<{ state: string; pid: number | undefined } | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let text = '';
    let connected = false;
    const finish = (): void => {
      socket.destroy();
      const [state, pid] = text.trim().split(' ');
      resolve({
        state: state === 'candidate' ? state : 'owner',
        pid: pid === undefined ? undefined : Number(pid),
      });
    };
    socket.setTimeout(answerWithinMs, finish);
    socket.on('connect', () => (connected = true));
    socket.on('data', (bytes) => (text += bytes.toString()));
    socket.on('end', finish);
    socket.on('error', (error) => {
      const code = systemCode(error);
      if (!connected && (code === 'ECONNREFUSED' || code === 'ENOENT')) resolve(undefined);
      else finish();
    });
  });
}

function listening(path: string, answer: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(answer);
    server.on('error', reject);
    server.listen(path, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function withdraw(dir: string, mine: Announcement): Promise<void> {
  await closed(mine.server);
  await unlink(join(dir, mine.name)).catch(() => {});
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
