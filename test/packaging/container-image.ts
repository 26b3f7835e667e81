import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DockerfileParser, type Instruction, JSONInstruction, ModifiableInstruction } from 'dockerfile-ast';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** An instruction of a Dockerfile. */
export interface Step {
  keyword: string;
  /** For example `from`, of `COPY --from=build`. */
  flags: Record<string, string>;
  /** The words of the instruction, or the strings of a JSON list. */
  words: string[];
  /** Everything after the keyword, in one line. */
  text: string;
}

/** The instructions from one FROM to the next. */
export interface Stage {
  image: string;
  name: string | undefined;
  steps: Step[];
}

/** Returns the stages of a Dockerfile in order. */
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

/** Builds a stage's image in a folder as `docker build` would, without its base image. */
export class ImageBuild {
  private readonly folders = new Map<string, string>();

  constructor(
    private readonly folder: string,
    private readonly context: string,
  ) {}

  /** Copies the context that `docker build` would send: the repository without what `.dockerignore` excludes. */
  static sendContext(folder: string): string {
    const context = join(folder, 'context');
    const isIgnored = readIgnore(readFileSync(join(ROOT, '.dockerignore'), 'utf8'));
    const send = (path: string): void => {
      for (const entry of readdirSync(join(ROOT, path), { withFileTypes: true })) {
        const inner = posix.join(path, entry.name);
        // These folders are large, and no pattern includes anything below them again.
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

  /** Runs the steps of a stage. Returns a function that maps a path of the image to its real path. */
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

/** Runs a command of the build. Skips commands that need a network or root, because their results already exist. */
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

/**
 * Returns whether `.dockerignore` excludes a path. The last pattern that matches the path, or a folder above it,
 * decides.
 */
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
