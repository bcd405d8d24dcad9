/** The white space of Python's `str`: what `strip()` removes and `split()` splits on. U+FEFF and U+200B are not in it. */
const whiteSpace: ReadonlySet<string> = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

/** Python's `text.strip(characters)`; without `characters`, white space as Python defines it. */
export function stripText(text: string, characters: ReadonlySet<string> = whiteSpace): string {
  let start = 0;
  let end = text.length;
  while (start < end && characters.has(text[start]!)) start++;
  while (end > start && characters.has(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** Python's `text.split()`: the words between runs of white space, none of them empty. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && !whiteSpace.has(text[i]!)) continue;
    if (i > start) words.push(text.slice(start, i));
    start = i + 1;
  }
  return words;
}
