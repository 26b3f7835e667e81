// Profiles the processor time of a server that loads it with --import. The first SIGWINCH starts the profile, and the
// second writes it to PROFILE_FILE. So the profile excludes the start. (Nest ends on most other signals.)
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

const session = new Session();
session.connect();
let isRunning = false;

process.on('SIGWINCH', async () => {
  if (!isRunning) {
    isRunning = true;
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 100 });
    await session.post('Profiler.start');
    return;
  }
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(process.env.PROFILE_FILE, JSON.stringify(profile));
});
