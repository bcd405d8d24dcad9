import { z } from 'zod';

export const taskInstructionsSchema = z.union(
  [z.array(z.string()), z.record(z.string(), z.string())],
  'expected a list of strings or an object of strings',
);

/** The instructions a dataset's samples choose from: by position, or by identifier when the file maps them. */
export type TaskInstructions = Readonly<z.infer<typeof taskInstructionsSchema>>;

function isList(instructions: TaskInstructions): instructions is readonly string[] {
  return Array.isArray(instructions);
}

/** The instruction of that identifier, `undefined` when there is none. Negative positions count from the end, as in Python. */
export function findInstruction(instructions: TaskInstructions, id: number | string): string | undefined {
  if (isList(instructions)) return typeof id === 'number' ? instructions.at(id) : undefined;
  return Object.hasOwn(instructions, String(id)) ? instructions[String(id)] : undefined;
}
