/** Published models that can be made with random weights: those of the paper and their sisters. */
export const randomModelNames = [
  'llava-1.5-7b',
  'llava-1.5-13b',
  'mobilevlm-v2-1.7b',
  'mobilevlm-v2-3b',
  'mobilevlm-v2-7b',
  'internvl-chat-7b',
  'internvl-chat-13b',
] as const;
export type RandomModelName = (typeof randomModelNames)[number];
