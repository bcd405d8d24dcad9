import { Presets, SingleBar } from 'cli-progress';
import type { Shell } from './shell.js';

/** Shows how far something long has come. */
export interface Progress {
  /** `done` of `total` units; `label` says what is being worked on. Another total begins another thing. */
  update(done: number, total: number, label: string): void;
  /** A line that stays, above whatever moves. */
  note(line: string): void;
  stop(): void;
}

/** Plain lines, on logs and in CI, come once for every tenth. */
const plainSteps = 10;

function terminalBar(terminal: NodeJS.WriteStream, unit: string, shell: Shell): Progress {
  const { dim } = shell.stderr.paint;
  const format = `{bar} {percentage}% ${dim(`{value}/{total} ${unit}, {label}, {eta_formatted} left`)}`;
  const options = { stream: terminal, format, hideCursor: true, clearOnComplete: true, etaBuffer: 20 };
  const bar = new SingleBar(options, Presets.rect);
  let shownTotal: number | null = null;
  return {
    update(done, total, label) {
      if (shownTotal === total) bar.update(done, { label });
      else {
        if (shownTotal !== null) bar.stop();
        bar.start(total, done, { label });
      }
      shownTotal = total;
    },
    note(line) {
      if (shownTotal !== null) terminal.write('\r\u001b[K');
      terminal.write(`${line}\n`);
    },
    stop: () => bar.stop(),
  };
}

function plainLines(unit: string, shell: Shell): Progress {
  let shown = -1;
  let shownTotal: number | null = null;
  return {
    update(done, total, label) {
      const step = total === 0 ? plainSteps : Math.floor((done / total) * plainSteps);
      if (total === shownTotal && step <= shown) return;
      shown = step;
      shownTotal = total;
      shell.stderr.write(`${done}/${total} ${unit}${label === '' ? '' : `, ${label}`}\n`);
    },
    note: (line) => shell.stderr.write(`${line}\n`),
    stop() {},
  };
}

const silent: Progress = Object.freeze({ update() {}, note() {}, stop() {} });

/** A bar on a terminal, plain lines elsewhere, nothing when quiet. */
export function openProgress(
  shell: Shell,
  { unit, quiet }: { readonly unit: string; readonly quiet: boolean },
): Progress {
  if (quiet) return silent;
  return shell.terminal === null ? plainLines(unit, shell) : terminalBar(shell.terminal, unit, shell);
}
