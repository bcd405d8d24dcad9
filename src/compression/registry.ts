import type { Method } from './method.js';
import { full } from './methods/full.js';
import { h2o } from './methods/h2o.js';
import { imageRandom } from './methods/image-random.js';
import { knorm } from './methods/knorm.js';
import { lookMA } from './methods/look-m-a.js';
import { lookMP } from './methods/look-m-p.js';
import { lookMTp } from './methods/look-m-tp.js';
import { lookMTpA } from './methods/look-m-tp-a.js';
import { lookMTpP } from './methods/look-m-tp-p.js';
import { lookMTpW } from './methods/look-m-tp-w.js';
import { lookMW } from './methods/look-m-w.js';
import { random } from './methods/random.js';
import { roco } from './methods/roco.js';
import { snapkv } from './methods/snapkv.js';
import { streamingLlm } from './methods/streaming-llm.js';
import { textOnly } from './methods/text-only.js';

/** Every method by name: the rows of the paper's Table 1 in its order, then the controls. */
export const methods = Object.freeze({
  [full.name]: full,
  [h2o.name]: h2o,
  [snapkv.name]: snapkv,
  [roco.name]: roco,
  [lookMA.name]: lookMA,
  [lookMW.name]: lookMW,
  [lookMP.name]: lookMP,
  [lookMTpA.name]: lookMTpA,
  [lookMTpW.name]: lookMTpW,
  [lookMTpP.name]: lookMTpP,
  [lookMTp.name]: lookMTp,
  [random.name]: random,
  [knorm.name]: knorm,
  [streamingLlm.name]: streamingLlm,
  [textOnly.name]: textOnly,
  [imageRandom.name]: imageRandom,
} as const satisfies Record<string, Method>);
