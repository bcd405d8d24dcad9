import { z } from 'zod';
import { checkContent } from './check-content.js';
import { suggestion } from './suggestion.js';
import { parseYaml, type YamlKind } from './yaml-source.js';

/** What the hub allows as `owner/name`, a part of it at most 96 characters long. */
const repositoryForm = /^[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?\/[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;

/** Whether a text is the name of a repository of the hub: `owner/name`. */
export function isRepositoryId(text: string): boolean {
  return repositoryForm.test(text) && !/--|\.\./.test(text);
}

const text = z.string().min(1);
const repository = z.string().refine(isRepositoryId, {
  error: 'is not the owner/name of a repository',
  params: { fix: 'write it as the hub does' },
});
/** Branch, tag or commit. */
const revision = text.default('main');

const visionShape = { repository, revision };

const presetShape = {
  repository,
  revision,
  /** Repository of the vision tower; `null` when it is in the checkpoint. */
  vision: z.strictObject(visionShape).nullable(),
  /** Name of the prompt template. */
  template: text,
  /** Of language model, tower and projector together. */
  parameters: z.number().positive(),
  notes: text,
};

const presetFile: YamlKind = Object.freeze({
  name: 'preset of a backbone',
  example: 'configs/backbones/llava-1.5-7b.yaml',
  keys: { '': Object.keys(presetShape), vision: Object.keys(visionShape) },
});

/** A published backbone: where its files are on the hub and how it is prompted. */
export type BackbonePreset = z.output<z.ZodObject<typeof presetShape>>;

/**
 * Reads the preset of a backbone.
 *
 * `text` is the YAML, `file` its name in messages. Throws a `UserError` for the first thing wrong, naming
 * `file:line:column` and the field.
 */
export function readPreset({
  text: yaml,
  file,
  templates,
}: {
  readonly text: string;
  readonly file: string;
  /** Names of the known prompt templates. */
  readonly templates: readonly string[];
}): BackbonePreset {
  const source = parseYaml({ text: yaml, file, kind: presetFile });
  const schema = z.strictObject(presetShape).superRefine(({ template }, context) => {
    if (templates.includes(template)) return;
    const fix = `${suggestion(template, templates)}use ${templates.join(', ')}`;
    const message = `unknown prompt template "${template}"`;
    context.addIssue({ code: 'custom', path: ['template'], message, params: { fix } });
  });
  return checkContent(source.value, { schema, kind: presetFile, places: source });
}
