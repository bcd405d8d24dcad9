export const quantityLevels = Object.freeze(['Few', 'Medium', 'Many'] as const);

/** How many images a sample has, in MileBench's three steps. */
export type QuantityLevel = (typeof quantityLevels)[number];

/** Up to 5 images are few, 32 and more are many. Source: `evaluate.py`, `get_image_quantity_level`. */
export function quantityLevel(images: number): QuantityLevel {
  if (images < 6) return 'Few';
  return images > 31 ? 'Many' : 'Medium';
}
