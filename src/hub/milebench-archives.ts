import type { RepositoryRef } from './repository.js';

/** Where MileBench is published. */
export const mileBench: Omit<RepositoryRef, 'revision'> = Object.freeze({
  type: 'dataset',
  id: 'FreedomIntelligence/MileBench',
});

/**
 * The datasets of each archive. The repository does not say; this is what its users found. It decides which archives
 * are downloaded, and what they hold decides what is there in the end.
 */
export const mileBenchArchives: Readonly<Record<string, readonly string[]>> = Object.freeze({
  'MileBench_part0.tar.gz': [
    'ActionLocalization',
    'ActionPrediction',
    'ActionSequence',
    'CharacterOrder',
    'ALFRED',
  ],
  'MileBench_part1.tar.gz': [
    'CounterfactualInference',
    'EgocentricNavigation',
    'CLEVR-Change',
    'DocVQA',
    'GPR1200',
  ],
  'MileBench_part2.tar.gz': [
    ...['MovingAttribute', 'MovingDirection', 'IEdit', 'MMCoQA', 'MultiModalQA'],
    'ImageNeedleInAHaystack',
  ],
  'MileBench_part3.tar.gz': [
    ...['ObjectExistence', 'ObjectInteraction', 'ObjectShuffle', 'SceneTransition', 'StateChange'],
    'nuscenes',
  ],
  'MileBench_part4.tar.gz': ['OCR-VQA', 'SlideVQA', 'Spot-the-Diff'],
  'MileBench_part5.tar.gz': ['TQA', 'WebQA', 'WikiVQA', 'TextNeedleInAHaystack'],
});

/** Top folder that some copies of the archives have. */
const topFolder = 'MileBench';

/** A member's path from the dataset's folder on: `MileBench/TQA/TQA.json` and `TQA/TQA.json` are the same. */
export function datasetPath(segments: readonly string[]): readonly string[] {
  return segments[0] === topFolder ? segments.slice(1) : segments;
}
