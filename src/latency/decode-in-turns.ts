import { isFullCell } from '../bench/plan.js';
import type { Cell } from '../bench/record.js';
import type { LatencyProtocol } from '../config/protocols.js';
import { invariant } from '../core/errors.js';
import type { DecodedBlock } from './decode-block.js';
import type { LatencyMachine } from './latency-machine.js';
import type { LatencyRecord, MeasuredCell } from './latency-record.js';
import type { LoadedCache } from './loaded-cache.js';
import { blockOf, takeTurns } from './take-turns.js';

/** A cell ready to decode. */
export interface LoadedCell {
  readonly cell: Cell;
  readonly cache: LoadedCache;
  /** Decodes warm-up and timed steps on the cache. */
  readonly decode: () => Promise<DecodedBlock>;
}

/** What decoding showed of a cell. */
type DecodedCell = Pick<MeasuredCell, 'tokens' | 'blocks' | 'nullTest'> &
  Pick<MeasuredCell['cache'], 'end' | 'allocated'>;

type Turn =
  | { readonly kind: 'decoded'; readonly block: DecodedBlock }
  | { readonly kind: 'read'; readonly rate: number };

/**
 * Lets cells take turns at decoding, each from its own cache as compression left it, with a reading of memory and, for the
 * null test, the full cache once more among them.
 */
export async function decodeInTurns(
  loaded: readonly LoadedCell[],
  { protocol, machine }: { readonly protocol: LatencyProtocol; readonly machine: LatencyMachine },
): Promise<{ readonly cells: readonly DecodedCell[] } & Pick<LatencyRecord, 'memoryRead' | 'load'>> {
  const turnOf =
    ({ cache, decode }: LoadedCell) =>
    async (): Promise<Turn> => {
      cache.rewind();
      return { kind: 'decoded', block: await decode() };
    };
  const full = loaded.find(({ cell }) => isFullCell(cell));
  const read = async (): Promise<Turn> => ({ kind: 'read', rate: await machine.readRate() });
  const again = protocol.nullTest && full !== undefined ? [turnOf(full)] : [];
  const load = machine.watchLoad();
  const turns = await takeTurns([...loaded.map(turnOf), read, ...again], protocol.repeats);
  const taken = load();
  const blocksOf = (contender: number) =>
    turns[contender]!.map(({ turn, result }) => {
      invariant(result.kind === 'decoded', 'a cell reads memory');
      return { turn, block: result.block };
    });
  const rates = turns[loaded.length]!.flatMap(({ result }) => (result.kind === 'read' ? [result.rate] : []));
  const cells = loaded.map((one, i): DecodedCell => {
    const blocks = blocksOf(i);
    const tokens = blocks[0]!.block.tokens;
    const same = blocks.every(({ block }) => block.tokens.every((token, step) => token === tokens[step]));
    invariant(same, 'decoding from the same cache chose other tokens');
    const recorded = (own: typeof blocks) =>
      own.map(({ turn, block }) => blockOf(block, turn, protocol.warmUp));
    return {
      tokens: [...tokens],
      blocks: recorded(blocks),
      ...(one === full && again.length > 0 ? { nullTest: recorded(blocksOf(loaded.length + 1)) } : {}),
      end: one.cache.used,
      allocated: one.cache.allocated,
    };
  });
  return { cells, memoryRead: { by: machine.readsBy, rates }, load: taken };
}
