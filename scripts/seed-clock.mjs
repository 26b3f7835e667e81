// seed.mjs loads this into the server that it starts (`node --import`). Each message moves the server's clock by a
// number of milliseconds, so that keys, coupons and usage get dates from two months.
const now = Date.now;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The server starts on the first day, so that nothing is older than what it creates. */
let shift = Number(process.env.SEED_DAY) * DAY_MS - DAY_MS;

Date.now = () => now() + shift;
process.on('message', (milliseconds) => {
  shift = milliseconds;
  process.send(milliseconds);
});
// The channel must not keep the process running.
process.channel.unref();
