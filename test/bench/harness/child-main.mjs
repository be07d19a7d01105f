// @ts-check
// A process of a benchmark: `child-main.mjs MODULE EXPORT ARGUMENT`. It calls what the module exports, says what is
// ready, answers questions, and ends with the channel to its parent, however that ended.

const [, , module = '', name = '', argument = 'null'] = process.argv;

/** @param {unknown} message */
const say = (message) => process.connected && process.send?.(message);

/** @type {import('./child.mjs').Role} */
let role = { ready: undefined };
let leaving = false;

async function leave() {
  if (leaving) return;
  leaving = true;
  setTimeout(() => process.exit(1), 5_000).unref();
  await role.close?.();
  process.exit(0);
}

/** @param {{ id: number, verb: string, args: unknown[] }} question */
async function answer({ id, verb, args }) {
  if (verb === 'close') return leave();
  try {
    say({ id, value: await role.verbs?.[verb]?.(...args) });
  } catch (error) {
    say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

process.on('disconnect', () => void leave());
role = await (await import(module))[name](JSON.parse(argument));
process.on('message', (question) => void answer(/** @type {any} */ (question)));
say({ ready: role.ready ?? null });
