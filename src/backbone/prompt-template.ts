import { UserError } from '../core/errors.js';
import { nearMatches } from '../core/near-matches.js';
import type { PromptTemplate } from './bundle-manifest.js';

/** Stands for an image in a prompt; the prompt is split here before it is tokenised. */
export const imageMark = '<image>';

/** Stands for an image in a MileBench question. */
const questionImageMark = '<ImageHere>';

const llama2System =
  'You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, and assist the user with a variety of tasks using natural language.';

const vicunaSystem =
  "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user's questions.";

const llavaSystem =
  "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the human's questions.";

const internlmSystem = 'You are an AI assistant whose name is InternLM (书生·浦语).';

/**
 * The conversation templates of the published workers, for one question (reference: conversation.py of LLaVA,
 * MobileVLM and InternVL). LOOK-M uses `llava_llama_2` for LLaVA, `v1` for MobileVLM, `internlm2-chat` for InternVL.
 */
export const promptTemplates = Object.freeze({
  llava_llama_2: {
    name: 'llava_llama_2',
    before: `[INST] <<SYS>>\n${llama2System}\n<</SYS>>\n\n`,
    after: ' [/INST]',
    stopStrings: ['<s>'],
  },
  v1: { name: 'v1', before: `${vicunaSystem} USER: `, after: ' ASSISTANT:', stopStrings: ['</s>'] },
  vicuna_v1: {
    name: 'vicuna_v1',
    before: `${vicunaSystem} USER: `,
    after: ' ASSISTANT:',
    stopStrings: ['</s>'],
  },
  llava_v1: {
    name: 'llava_v1',
    before: `${llavaSystem} USER: `,
    after: ' ASSISTANT:',
    stopStrings: ['</s>'],
  },
  'internlm2-chat': {
    name: 'internlm2-chat',
    before: `<|im_start|>system\n${internlmSystem}<|im_end|><|im_start|>user\n`,
    after: '<|im_end|><|im_start|>assistant\n',
    stopStrings: ['<|im_end|>'],
  },
} as const satisfies Record<
  string,
  Readonly<Omit<PromptTemplate, 'stopStrings'>> & { stopStrings: readonly string[] }
>);

type PromptTemplateName = keyof typeof promptTemplates;

/** Names of the known templates. */
export const promptTemplateNames: readonly string[] = Object.keys(promptTemplates);

/** The template of a name. Throws `UserError` with the closest known names for an unknown one. */
export function findPromptTemplate(name: string): PromptTemplate {
  if (!isPromptTemplateName(name)) {
    const near = nearMatches(name, promptTemplateNames);
    throw new UserError({
      what: `unknown prompt template "${name}"`,
      fix:
        near.length === 0
          ? `use one of ${promptTemplateNames.join(', ')}`
          : `did you mean ${near.join(' or ')}?`,
    });
  }
  const template = promptTemplates[name];
  return { ...template, stopStrings: [...template.stopStrings] };
}

function isPromptTemplateName(name: string): name is PromptTemplateName {
  return Object.hasOwn(promptTemplates, name);
}

/**
 * The prompt of a question: image marks become `<image>`, and two of them side by side get line breaks first, in
 * one pass that does not overlap (reference: LOOK-M workers/model_workers.py, `forward`).
 */
export function renderQuestion(template: PromptTemplate, question: string): string {
  const marked = question
    .replaceAll(questionImageMark.repeat(2), `${questionImageMark}\n`.repeat(2))
    .replaceAll(questionImageMark, imageMark);
  return template.before + marked + template.after;
}
