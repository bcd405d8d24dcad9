/** The pickle of a shard has some 100 bytes a tensor; bounds what a hostile file makes us read. */
export const maxPickleBytes = 16 * 1024 * 1024;
