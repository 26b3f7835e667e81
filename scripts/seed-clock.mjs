// Loaded into the server that seed.mjs starts (`node --import`): moves its clock by the milliseconds of each message, so
// that keys, coupons and usage get the dates of two months.
const now = Date.now;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The server starts on the first day, so that nothing is older than what it creates. */
let shift = Number(process.env.SEED_DAY) * DAY_MS - DAY_MS;

Date.now = () => now() + shift;
process.on('message', (milliseconds) => {
  shift = milliseconds;
  process.send(milliseconds);
});
// The channel alone does not keep the process running.
process.channel.unref();
