// Runs `npm audit` on everything that ships. Fails on a known vulnerability of high or critical severity. If the
// registry serves no audits (some mirrors respond with 404 or 405), it says so and passes. With REQUIRE_AUDIT=1 it
// fails then too.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The statuses of registries that serve no audits. Every other error is a failure, even a network that is down. */
const NOT_SERVED = [404, 405, 501];

const { stdout, stderr, error } = spawnSync('npm', ['audit', '--omit=dev', '--json', ...process.argv.slice(2)], {
  cwd: ROOT,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});

function outcome() {
  if (error) {
    return { code: 1, text: `npm audit could not be run: ${error.message}` };
  }
  let report;
  try {
    report = JSON.parse(stdout);
  } catch {
    return { code: 1, text: `npm audit answered in no way that is known:\n${stdout}${stderr}` };
  }
  const counts = report.metadata?.vulnerabilities;
  if (counts) {
    const found = Object.values(report.vulnerabilities ?? {}).filter(({ severity }) =>
      /^(high|critical)$/.test(severity),
    );
    const lines = found.map(({ name, severity, range }) => `  - ${name} ${range}: ${severity}`);
    return counts.high + counts.critical > 0
      ? { code: 1, text: `What ships has known vulnerabilities:\n${lines.join('\n')}` }
      : {
          code: 0,
          text: `Nothing that ships has a known vulnerability of high or critical severity (${counts.total} lower).`,
        };
  }
  const why = [report.message, report.error?.code, report.error?.summary, report.error?.detail, stderr].join(' ');
  return NOT_SERVED.includes(report.statusCode) && process.env.REQUIRE_AUDIT !== '1'
    ? { code: 0, text: 'NOT CHECKED for known vulnerabilities: the registry serves no audits.' }
    : { code: 1, text: `npm audit failed: ${why.trim()}` };
}

const { code, text } = outcome();
process.stdout.write(`${text}\n`);
process.exitCode = code;
