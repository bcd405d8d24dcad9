import { Command } from 'commander';
import { dataFetchCommand } from './data-fetch.js';
import { dataListCommand } from './data-list.js';
import { dataSubsetCommand } from './data-subset.js';
import { dataVerifyCommand } from './data-verify.js';
import type { CommandBuilder } from './program.js';
import type { Shell } from './shell.js';

/** The commands of `lookm data` in the order its help shows them. */
const commands: readonly CommandBuilder[] = Object.freeze([
  dataListCommand,
  dataVerifyCommand,
  dataFetchCommand,
  dataSubsetCommand,
]);

const examples = `
Examples:
  $ lookm data list                                     the embedded dataset, task by task
  $ lookm data fetch --tasks GPR1200,TQA                download part of MileBench
  $ lookm data verify datasets/MileBench                is every sample usable?
  $ lookm data subset datasets/MileBench --out datasets/small --samples 500 --stratify
`;

/** `lookm data`: get datasets, look at them, check them, make smaller ones. */
export function dataCommand(shell: Shell): Command {
  const data = new Command('data')
    .description('list, check, download and subset datasets in the layout of MileBench')
    .addHelpText('after', examples);
  for (const build of commands) data.addCommand(build(shell));
  return data;
}
