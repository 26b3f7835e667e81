import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DockerfileParser, type Instruction, JSONInstruction, ModifiableInstruction } from 'dockerfile-ast';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** An instruction of a Dockerfile. */
export interface Step {
  keyword: string;
  /** Such as `from`, of `COPY --from=build`. */
  flags: Record<string, string>;
  /** Its words; of a list in JSON, the strings. */
  words: string[];
  /** Everything behind the keyword, in one line. */
  text: string;
}

/** What stands between one FROM and the next. */
export interface Stage {
  image: string;
  name: string | undefined;
  steps: Step[];
}

/** The stages of a Dockerfile, in their order. */
export function readDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const step = readStep(instruction);
    if (step.keyword === 'FROM') {
      const [image, as, name] = step.words;
      stages.push({ image: image!, name: as?.toUpperCase() === 'AS' ? name : undefined, steps: [] });
    } else {
      stages.at(-1)!.steps.push(step);
    }
  }
  return stages;
}

function readStep(instruction: Instruction): Step {
  const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
  const json = instruction instanceof JSONInstruction ? instruction.getJSONStrings() : [];
  const words = instruction.getArguments().map((argument) => argument.getValue());
  return {
    keyword: instruction.getKeyword(),
    flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
    words: json.length > 0 ? json.map((argument) => argument.getJSONValue()) : words,
    text: words.join(' '),
  };
}

/** Makes, in a folder, what `docker build` would make of a stage's image, without its base image. */
export class ImageBuild {
  private readonly folders = new Map<string, string>();

  constructor(
    private readonly folder: string,
    private readonly context: string,
  ) {}

  /** The context that `docker build` would be sent: what `.dockerignore` leaves of the repository. */
  static sendContext(folder: string): string {
    const context = join(folder, 'context');
    const isIgnored = readIgnore(readFileSync(join(ROOT, '.dockerignore'), 'utf8'));
    const send = (path: string): void => {
      for (const entry of readdirSync(join(ROOT, path), { withFileTypes: true })) {
        const inner = posix.join(path, entry.name);
        // Nothing below node_modules or .git is let in again, and they are large.
        if (['node_modules', '.git'].includes(entry.name)) {
          expect(isIgnored(inner)).toBe(true);
        } else if (entry.isDirectory()) {
          send(inner);
        } else if (!isIgnored(inner)) {
          cpSync(join(ROOT, inner), join(context, inner));
        }
      }
    };
    send('');
    return context;
  }

  /** Runs the steps of a stage and resolves a path of the image to where it is. */
  build(stage: Stage): (path: string) => string {
    const root = join(this.folder, `stage-${this.folders.size}`);
    const at = (path: string): string => join(root, path);
    let workdir = '/';
    for (const step of stage.steps) {
      switch (step.keyword) {
        case 'WORKDIR':
          workdir = posix.resolve(workdir, step.words[0]!);
          mkdirSync(at(workdir), { recursive: true });
          break;
        case 'COPY':
          this.copy(step, (path) => at(posix.resolve(workdir, path)));
          break;
        case 'RUN':
          run(step.text, at(workdir));
          break;
      }
    }
    this.folders.set(stage.name ?? '', root);
    return at;
  }

  private copy({ flags, words }: Step, at: (path: string) => string): void {
    const sources = words.slice(0, -1);
    const target = words.at(-1)!;
    const from = flags.from === undefined ? this.context : this.folders.get(flags.from)!;
    for (const source of sources) {
      const path = join(from, source);
      const isInto = target.endsWith('/') || sources.length > 1;
      const to = isInto && !statSync(path).isDirectory() ? join(at(target), basename(source)) : at(target);
      mkdirSync(join(to, '..'), { recursive: true });
      copyTree(path, to);
    }
  }
}

/** Runs a command of the build, except those that need a network or root: their results are there already. */
function run(command: string, workdir: string): void {
  if (/^npm ci\b/.test(command)) {
    expect(existsSync(join(workdir, 'package-lock.json'))).toBe(true);
    copyTree(realpathSync(join(ROOT, 'node_modules')), join(workdir, 'node_modules'));
  } else if (/^npm /.test(command)) {
    execFileSync('sh', ['-c', command], { cwd: workdir, stdio: 'pipe' });
  } else {
    expect(command).toMatch(/^install -d /);
  }
}

function copyTree(from: string, to: string): void {
  expect(isAbsolute(to)).toBe(true);
  execFileSync('cp', ['-a', '-T', from, to]);
}

/** What `.dockerignore` keeps out; the last pattern that matches a path, or a folder above it, decides. */
function readIgnore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({
      isException: line.startsWith('!'),
      pattern: new RegExp(
        `^${line
          .replace(/^!/, '')
          .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('**/', '\0')
          .replaceAll('*', '[^/]*')
          .replaceAll('\0', '(?:.*/)?')}(?:/.*)?$`,
      ),
    }));
  return (path) => {
    const last = rules.findLast(({ pattern }) => pattern.test(path));
    return last !== undefined && !last.isException;
  };
}
