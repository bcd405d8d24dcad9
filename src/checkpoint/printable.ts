/** Enough of a name to find it by. */
const longestText = 120;

/** Text from a file in printable ASCII, cut if it is long, so that it cannot disturb the message it is part of. */
export function printable(text: string): string {
  const cut = text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  return cut.replace(/[^ -~…]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
