import { readFileSync } from 'node:fs';

/** Processor time of the whole machine since it started, in clock ticks. */
export interface MachineTicks {
  /** Doing something, for whomever. */
  readonly busy: number;
  /** Taken by the hypervisor while something wanted to run. */
  readonly stolen: number;
  readonly total: number;
}

/** Shares of the machine's processor time over a while. */
export interface ProcessorLoad {
  /** Other processes, and the system's own work that is nobody's. */
  readonly others: number;
  /** The hypervisor. */
  readonly stolen: number;
}

/** Ticks a second of `/proc/stat`, the same on all of today's Linux systems. */
const ticksPerSecond = 100;

/** Reads the first line of `/proc/stat`; `null` when it is none. */
export function parseMachineTicks(stat: string): MachineTicks | null {
  const line = /^cpu +([\d ]+)$/m.exec(stat)?.[1];
  if (line === undefined) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, stolen = 0] = line
    .split(' ')
    .map(Number);
  const busy = user + nice + system + irq + softirq;
  return { busy, stolen, total: busy + idle + waiting + stolen };
}

function machineTicks(): MachineTicks | null {
  try {
    return parseMachineTicks(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return null;
  }
}

/** Begins to watch. The returned function tells what others took since; `null` where the system does not tell. */
export function watchProcessors(): () => ProcessorLoad | null {
  const before = machineTicks();
  const used = process.cpuUsage();
  return () => {
    const after = machineTicks();
    const total = before === null || after === null ? 0 : after.total - before.total;
    if (before === null || after === null || total === 0) return null;
    const { user, system } = process.cpuUsage(used);
    const own = ((user + system) / 1e6) * ticksPerSecond;
    const share = (ticks: number): number => Math.min(1, Math.max(0, ticks / total));
    return { others: share(after.busy - before.busy - own), stolen: share(after.stolen - before.stolen) };
  };
}
