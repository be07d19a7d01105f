// @ts-check
// A process of processes.mjs; it ends with the channel to its parent.

/** @param {unknown} args */
async function handle(args) {
  return args;
}

process.on('message', (/** @type {import('./processes.mjs').Word} */ { id, args }) => {
  void handle(args).then((reply) => process.send?.({ id, args: reply }));
});
