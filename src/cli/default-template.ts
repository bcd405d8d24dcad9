/** Prompt template of checkpoints without their own: the one LOOK-M uses for LLaVA. */
export const defaultTemplate = 'llava_llama_2';
