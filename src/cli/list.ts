import { Argument, Command } from 'commander';
import { stageRules } from '../compression/composition.js';
import { methods } from '../compression/registry.js';
import { listTasks } from '../milebench/dataset.js';
import { listBackbones } from './list-backbones.js';
import { printList } from './print-list.js';
import { resolveDataset } from './resolve-asset.js';
import type { Shell } from './shell.js';

const defaultDataset = 'datasets/minimile';

const examples = `
Examples:
  $ lookm list methods
  $ lookm list stages
  $ lookm list tasks --dataset path/to/MileBench
  $ lookm list backbones --json
`;

interface ListOptions {
  readonly json?: boolean | undefined;
  readonly dataset: string;
}

/** Names that are made of others, as `lookm list methods` shows them. */
const madeOfOthers = [
  {
    name: 'matched:<method>[/<rule>]',
    kind: 'control',
    summary:
      'the rule (h2o if none is named) with the number of rows that the method keeps, for a fair comparison',
  },
  {
    name: '<method>+int8',
    kind: 'beyond the paper',
    summary: 'any of these, matched ones too, with its rows in int8 while decoding',
  },
];

function listMethods(shell: Shell, json: boolean): void {
  const items = [
    ...Object.values(methods).map(({ name, kind, summary }) => ({ name, kind, summary })),
    ...madeOfOthers,
  ];
  printList(items, { title: 'Methods', fields: ['name', 'kind', 'summary'], json, output: shell.stdout });
}

function listStages(shell: Shell, json: boolean): void {
  const items = Object.entries(stageRules).flatMap(([stage, rules]) =>
    Object.entries(rules).map(([rule, { options, summary }]) => ({ stage, rule, options, summary })),
  );
  const fields = ['stage', 'rule', 'options', 'summary'] as const;
  printList(items, { title: 'Rules by stage', fields, json, output: shell.stdout });
}

async function listDatasetTasks(shell: Shell, { dataset, json }: ListOptions): Promise<void> {
  const root = await resolveDataset(dataset, { where: '--dataset', shell });
  const tasks = await listTasks(root);
  const items = tasks.map(({ name, column, metric }) => ({ name, column, metric }));
  const fields = ['name', 'column', 'metric'] as const;
  printList(items, { title: `Tasks of ${dataset}`, fields, json: json ?? false, output: shell.stdout });
}

/** `lookm list`: the names that run files and flags may use. */
export function listCommand(shell: Shell): Command {
  return new Command('list')
    .description('show methods, rules of stages, tasks or backbones')
    .addArgument(new Argument('<what>', 'what to show').choices(['methods', 'stages', 'tasks', 'backbones']))
    .option('--dataset <name|dir>', 'whose tasks to show', defaultDataset)
    .option('--json', 'print JSON')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action(async (what: 'methods' | 'stages' | 'tasks' | 'backbones', options: ListOptions) => {
      const json = options.json ?? false;
      if (what === 'methods') listMethods(shell, json);
      else if (what === 'stages') listStages(shell, json);
      else if (what === 'tasks') await listDatasetTasks(shell, options);
      else await listBackbones(shell, json);
    });
}
