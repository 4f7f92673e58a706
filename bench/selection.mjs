// Scenarios by name: 'echo 1' is the one connection and neither the 1,000 nor the 16 KiB.

/** The words of a name; '1,000' is one of them. */
const wordsOf = (text) =>
  text
    .toLowerCase()
    .replace(/(?<=\d),(?=\d{3})/g, '')
    .match(/[\p{L}\p{N}]+/gu) ?? [];

/** Whether the words of the phrase follow each other in the name. */
export const matches = (phrase, name) =>
  ` ${wordsOf(name).join(' ')} `.includes(` ${wordsOf(phrase).join(' ')} `);

/** Several in one argument stand between commas without a space: 'echo 1,echo 8'. */
export const phrasesOf = (texts) => texts?.flatMap((text) => text.split(/,(?!\s|\d{3}\b)/));
